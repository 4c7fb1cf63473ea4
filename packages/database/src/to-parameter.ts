/** What both drivers take. */
export type Parameter = string | number | bigint | Uint8Array | null;

/**
 * Turns a bound value into what means the same on both databases.
 *
 * Booleans become 1 and 0, dates their milliseconds, undefined becomes null.
 *
 * @throws TypeError for objects and arrays (mysql2 would expand them into SQL) and for NaN and infinities (SQLite would store NULL).
 */
export function toParameter(value: unknown): Parameter {
  switch (typeof value) {
    case 'string':
    case 'bigint':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} can't be stored`);
      return value;
    case 'boolean':
      return value ? 1 : 0;
    case 'undefined':
      return null;
    default:
      if (value === null || value instanceof Uint8Array) return value;
      if (value instanceof Date) return toParameter(value.getTime());
      throw new TypeError(`a ${typeof value} can't be stored; make it JSON first`);
  }
}
