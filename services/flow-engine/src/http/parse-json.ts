/**
 * Parses JSON that others wrote. Whole numbers that a double can't hold (18-digit ids) become strings of their digits; `__proto__`
 * is dropped.
 *
 * @throws SyntaxError, or RangeError where it is nested too deeply.
 */
export function parseJson(text: string): unknown {
  return JSON.parse(text, function revive(key: string, value: unknown, context?: { source?: string }) {
    if (key === '__proto__') return undefined;
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    const { source } = context ?? {};
    return source !== undefined && /^-?\d+$/.test(source) ? source : value;
  } as (key: string, value: unknown) => unknown);
}
