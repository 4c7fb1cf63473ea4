import { isCodedError } from '@switchyard/errors';
import { databaseAway } from './errors.ts';

/** Server errors that say the server, not the query, is the trouble. */
const away = new Set([
  1040, // too many connections
  1044, // access denied to the database, at run time: a grant is being changed
  1045, // access denied: the password is being changed
  1053, // server shutdown in progress
  1077, // normal shutdown
  1079, // shutdown complete
  1203, // too many connections of this user
  1226, // a resource limit of this user
  1290, // read-only, during a fail-over
  1792, // read-only transaction, during a fail-over
  1836, // read-only mode
  1927, // MariaDB: connection was killed
  2006, // server has gone away
  2013, // lost connection during query
  3169, // session was killed
]);

/** Errors of the network and of mysql2 itself. */
const awayCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR',
  'PROTOCOL_ENQUEUE_AFTER_QUIT',
]);

/** Deadlock, lock wait time-out, and a row changed since it was read (MariaDB with Galera or snapshot isolation). */
const retryable = new Set([1213, 1205, 1020]);

function errnoOf(error: unknown): number | undefined {
  const errno = (error as { errno?: unknown } | null)?.errno;
  return typeof errno === 'number' ? errno : undefined;
}

/** Whether the connection it came over must not be used again. */
export function isConnectionError(error: unknown): boolean {
  const { code, fatal, message } = error as { code?: string; fatal?: boolean; message?: string };
  const errno = errnoOf(error);
  return (
    fatal === true ||
    (errno !== undefined && away.has(errno)) ||
    (code !== undefined && awayCodes.has(code)) ||
    message === 'Pool is closed.' ||
    (message?.startsWith("Can't add new command") ?? false)
  );
}

/** Gives errors of the connection or the server their code; leaves the rest as it is. */
export function mapMysqlError(error: unknown): unknown {
  if (isCodedError(error) || !isConnectionError(error)) return error;
  return databaseAway('the database is not reachable now', { cause: error });
}

/** Whether the same transaction may well pass when tried again. Looks behind errors that wrap another. */
export function isRetryable(error: unknown): boolean {
  for (let each: unknown = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    const errno = errnoOf(each);
    if (errno !== undefined && retryable.has(errno)) return true;
  }
  return false;
}

/** Whether the server has rolled the whole transaction back: what follows would run without one. */
export function endsTransaction(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 1213 || errno === 1020;
}
