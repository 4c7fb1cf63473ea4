import { StatementSync } from 'node:sqlite';
import { Redis } from 'ioredis';

/** What this process has asked of others since it started. */
export interface RoundTrips {
  /** Statements of SQLite; a MySQL server counts its own. */
  sql: number;
  redis: number;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Counts the Redis commands and SQLite statements of this process. Call it before anything connects. */
export function countRoundTrips(): RoundTrips {
  const counts: RoundTrips = { sql: 0, redis: 0 };
  const wrap = (prototype: object, name: string, count: () => void) => {
    const methods = prototype as Record<string, Method>;
    const original = methods[name]!;
    methods[name] = function counted(...args) {
      count();
      return original.apply(this, args);
    };
  };
  for (const name of ['all', 'run', 'get']) wrap(StatementSync.prototype, name, () => counts.sql++);
  wrap(Redis.prototype, 'sendCommand', () => counts.redis++);
  return counts;
}
