import type { Comparison, Condition } from '../definitions/definition.ts';
import { lookUp } from './look-up.ts';
import { matchesPattern } from './match-pattern.ts';
import type { TemplateScope } from './render-text.ts';

const plain = (value: unknown) => textOf(value).trim().toLowerCase();

/** Whether a condition holds. A value that is not set meets no comparison but `is-not-set` and `not-equals`. */
export function evaluateCondition(condition: Condition, scope: TemplateScope): boolean {
  if ('all' in condition) return condition.all.every((each) => compare(each, scope));
  if ('any' in condition) return condition.any.some((each) => compare(each, scope));
  return compare(condition, scope);
}

function compare({ variable, operator, value }: Comparison, scope: TemplateScope): boolean {
  const actual = lookUp(variable, scope);
  if (actual === undefined || actual === null || actual === '')
    return operator === 'is-not-set' || operator === 'not-equals';
  switch (operator) {
    case 'is-set':
      return true;
    case 'is-not-set':
      return false;
    case 'equals':
      return plain(actual) === plain(value);
    case 'not-equals':
      return plain(actual) !== plain(value);
    case 'contains':
      return Array.isArray(actual)
        ? actual.some((each) => plain(each) === plain(value))
        : plain(actual).includes(plain(value));
    case 'starts-with':
      return plain(actual).startsWith(plain(value));
    case 'ends-with':
      return plain(actual).endsWith(plain(value));
    case 'matches':
      return matchesPattern(String(value), textOf(actual));
    case 'in':
      return Array.isArray(value) && value.some((each) => plain(each) === plain(actual));
    default:
      return compareSizes(operator, actual, value);
  }
}

/** Numbers as numbers; else dates and times, as ISO 8601 writes them, which sort as text does. */
function compareSizes(
  operator: 'greater-than' | 'less-than' | 'at-least' | 'at-most',
  actual: unknown,
  value: unknown,
): boolean {
  const areNumbers = Number.isFinite(numberOf(actual)) && Number.isFinite(numberOf(value));
  const areDates = isDate(actual) && isDate(value);
  if (!areNumbers && !areDates) return false;
  const [left, right] = areNumbers
    ? [numberOf(actual), numberOf(value)]
    : [actual as string, value as string];
  switch (operator) {
    case 'greater-than':
      return left > right;
    case 'less-than':
      return left < right;
    case 'at-least':
      return left >= right;
    case 'at-most':
      return left <= right;
  }
}

function isDate(value: unknown): value is string {
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}/.test(value);
}

function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
}

function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}
