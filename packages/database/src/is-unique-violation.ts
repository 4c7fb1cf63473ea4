/** Duplicate entry; the same with the key's name in the message. */
const mysql = new Set([1062, 1586]);
/** Constraint of a primary key, a unique index, a row id. */
const sqlite = new Set([1555, 2067, 2579]);

/** Whether a query failed because a row with the same unique key exists. */
export function isUniqueViolation(error: unknown): boolean {
  const { errno, errcode } = (error ?? {}) as { errno?: number; errcode?: number };
  return (errno !== undefined && mysql.has(errno)) || (errcode !== undefined && sqlite.has(errcode));
}
