import { findPatternProblem } from '../../execution/match-pattern.ts';
import type { Comparison, Condition } from '../definition.ts';

/** The comparisons of a condition, with where each is. */
export function comparisonsOf(
  condition: Condition,
  field: string,
): { comparison: Comparison; field: string }[] {
  if ('all' in condition)
    return condition.all.map((comparison, index) => ({ comparison, field: `${field}/all/${index}` }));
  if ('any' in condition)
    return condition.any.map((comparison, index) => ({ comparison, field: `${field}/any/${index}` }));
  return [{ comparison: condition, field }];
}

const SIZES = ['greater-than', 'less-than', 'at-least', 'at-most'];

/** Comparisons that could not mean anything. */
export function conditionProblems(condition: Condition, field: string): [field: string, message: string][] {
  return comparisonsOf(condition, field).flatMap(({ comparison, field: at }): [string, string][] => {
    const { operator, value } = comparison;
    if (operator === 'is-set' || operator === 'is-not-set') return [];
    const path = `${at}/value`;
    if (value === undefined) return [[path, 'must be set for this operator']];
    if ((operator === 'in') !== Array.isArray(value))
      return [[path, operator === 'in' ? 'must be a list' : 'must not be a list for this operator']];
    if (operator === 'matches') {
      const problem = typeof value === 'string' ? findPatternProblem(value) : 'must be a pattern';
      return problem === undefined ? [] : [[path, problem]];
    }
    if (SIZES.includes(operator) && !isComparable(value))
      return [[path, 'must be a number, or a date such as 2026-12-24']];
    return [];
  });
}

function isComparable(value: unknown): boolean {
  if (typeof value === 'number') return true;
  if (typeof value !== 'string' || value.trim() === '') return false;
  return Number.isFinite(Number(value)) || /^\d{4}-\d{2}-\d{2}/.test(value);
}
