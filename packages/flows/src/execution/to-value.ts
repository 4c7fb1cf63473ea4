import { NodeError } from './behaviour.ts';
import type { Value } from './run-state.ts';

/** A text as a value of another type. @throws NodeError when it is none. */
export function toValue(text: string, type: 'text' | 'number' | 'boolean' | 'json'): Value {
  const trimmed = text.trim();
  switch (type) {
    case 'text':
      return text;
    case 'number': {
      const number = trimmed === '' ? Number.NaN : Number(trimmed.replace(',', '.'));
      if (Number.isFinite(number)) return number;
      break;
    }
    case 'boolean':
      if (['true', 'yes', '1'].includes(trimmed.toLowerCase())) return true;
      if (['false', 'no', '0', ''].includes(trimmed.toLowerCase())) return false;
      break;
    case 'json':
      try {
        return JSON.parse(trimmed) as Value;
      } catch {
        break;
      }
  }
  throw new NodeError('VALUE_INVALID', `"${shortened(text)}" is no ${type === 'json' ? 'JSON' : type}`);
}

function shortened(text: string): string {
  return text.length <= 64 ? text : `${text.slice(0, 63)}…`;
}
