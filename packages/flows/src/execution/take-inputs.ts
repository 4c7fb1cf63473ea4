import type { FlowDefinition } from '../definitions/definition.ts';
import { NodeError } from './behaviour.ts';
import type { Value, Variables } from './run-state.ts';

type FlowInput = NonNullable<FlowDefinition['inputs']>[string];

/**
 * What a flow is given, as it declares its inputs: numbers and truths may be written as text, defaults fill gaps, what is not declared
 * is left out. A flow that declares nothing takes everything.
 *
 * @throws NodeError INPUT_INVALID naming the input.
 */
export function takeInputs(declared: FlowDefinition['inputs'], given: Variables): Variables {
  if (declared === undefined) return given;
  const taken: Record<string, Value> = {};
  for (const [name, input] of Object.entries(declared)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined || value === null) {
      if (input.default !== undefined) taken[name] = input.default as Value;
      else if (input.required) throw new NodeError('INPUT_INVALID', `the input "${name}" is missing`);
      continue;
    }
    const read = readAs(input.type, value);
    if (read === undefined) throw new NodeError('INPUT_INVALID', `the input "${name}" is no ${input.type}`);
    taken[name] = read;
  }
  return taken;
}

function readAs(type: FlowInput['type'], value: Value): Value | undefined {
  switch (type) {
    case 'text':
      return typeof value === 'object' ? undefined : String(value);
    case 'number': {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
    }
    case 'boolean':
      if (value === 'true') return true;
      if (value === 'false') return false;
      return typeof value === 'boolean' ? value : undefined;
    case 'list':
      return Array.isArray(value) ? value : undefined;
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  }
}
