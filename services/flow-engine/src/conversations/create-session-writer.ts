import type { RedisClient } from '@switchyard/redis';
import type { Logger } from 'pino';
import { SESSION_TTL_MS, type Session } from './session.ts';

/** More writes than this on their way mean that Redis hangs: the next ones are left out. */
const WRITES_MOST = 500;
const WARN_EVERY_MS = 60_000;

/** Copies sessions to Redis. */
export interface SessionWriter {
  /** Writes without being waited for. SQL has the session; while Redis is away nothing is lost but the copy. */
  write(key: string, session: Session): void;
}

/**
 * Makes the writer.
 *
 * @param settings.client of the cache role, failing fast.
 * @param settings.keyPrefix of the role.
 */
export function createSessionWriter(settings: {
  client: RedisClient;
  keyPrefix: string;
  logger: Logger;
}): SessionWriter {
  const { client, keyPrefix, logger } = settings;
  let underWay = 0;
  let quietUntilMs = 0;

  function warn(error: unknown): void {
    if (performance.now() < quietUntilMs) return;
    quietUntilMs = performance.now() + WARN_EVERY_MS;
    logger.warn({ err: error }, 'sessions are not copied to Redis');
  }

  return {
    write(key, session) {
      if (underWay >= WRITES_MOST) return;
      underWay += 1;
      client
        .set(`${keyPrefix}${key}`, JSON.stringify(session), 'PX', SESSION_TTL_MS)
        .catch(warn)
        .finally(() => {
          underWay -= 1;
        });
    },
  };
}
