import { type RawBuilder, sql } from 'kysely';
import type { DialectName } from './dialects.ts';

/**
 * The database's time in milliseconds, as an expression: one clock for all replicas.
 *
 * On MySQL it is the start of the statement, before any wait for a lock.
 */
export function databaseNow(dialect: DialectName): RawBuilder<number> {
  return dialect === 'mysql'
    ? sql<number>`cast(unix_timestamp(now(3)) * 1000 as signed)`
    : sql<number>`cast(round(unixepoch('subsec') * 1000) as integer)`;
}
