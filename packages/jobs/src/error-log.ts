import type { Logger } from 'pino';

/** The same message is logged once in so long: a Redis that is away repeats itself thousands of times. */
const quietMs = 5000;

/** Messages remembered; beyond, the oldest are forgotten and may be logged once more. */
const remembered = 100;

/** Logs an error, unless the same message was logged a moment ago. */
export type ErrorLog = (error: unknown, fields: Record<string, unknown>, message: string) => void;

/** Makes an {@link ErrorLog} that counts what it left out. */
export function createErrorLog(logger: Logger): ErrorLog {
  const seen = new Map<string, { atMs: number; left: number }>();
  return (error, fields, message) => {
    const key = `${message}: ${error instanceof Error ? error.message : String(error)}`;
    const nowMs = Date.now();
    const last = seen.get(key);
    if (last && nowMs - last.atMs < quietMs) {
      last.left++;
      return;
    }
    logger.error({ ...fields, err: error, ...(last?.left ? { repeated: last.left } : {}) }, message);
    seen.delete(key);
    seen.set(key, { atMs: nowMs, left: 0 });
    if (seen.size > remembered) for (const oldest of seen.keys()) return void seen.delete(oldest);
  };
}
