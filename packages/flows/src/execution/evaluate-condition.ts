import type { Condition } from '../definitions/definition.ts';
import type { Variables } from './run-state.ts';

const plain = (value: unknown) => String(value).trim().toLowerCase();

/** Whether a condition holds. A variable that is not set meets no condition. */
export function evaluateCondition({ variable, operator, value }: Condition, variables: Variables): boolean {
  const actual = Object.hasOwn(variables, variable) ? variables[variable] : undefined;
  if (actual === undefined || actual === null) return false;
  switch (operator) {
    case 'is-set':
      return true;
    case 'equals':
      return plain(actual) === plain(value);
    case 'contains':
      return plain(actual).includes(plain(value));
    case 'starts-with':
      return plain(actual).startsWith(plain(value));
    case 'greater-than':
      return Number(actual) > Number(value);
    case 'less-than':
      return Number(actual) < Number(value);
  }
}
