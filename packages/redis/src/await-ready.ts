import { explainRedisError } from './explain-redis-error.ts';
import type { RedisClient } from './redis-client.ts';
import type { RoleSettings } from './role-settings.ts';

/** R3.2: at start, and only then, ten tries are enough. */
const triesAtStart = 10;

/**
 * Waits for a connection's first `ready`.
 *
 * @param deadline on the clock of `performance.now()`.
 * @throws the connection's last error, after 10 tries, at the deadline, or at once where trying again can't help.
 */
export function awaitReady(client: RedisClient, role: RoleSettings, deadline: number): Promise<void> {
  if (client.status === 'ready') return Promise.resolve();
  return new Promise((resolve, reject) => {
    let lastError: unknown;
    let tries = 0;
    const stop = () => {
      clearTimeout(timer);
      client.off('ready', onReady).off('error', onError).off('reconnecting', onTry).off('end', giveUp);
    };
    const onReady = () => {
      stop();
      resolve();
    };
    const giveUp = () => {
      stop();
      reject(lastError ?? new Error('no answer in time'));
    };
    const onError = (error: unknown) => {
      lastError = error;
      if (!explainRedisError(role, error).away) giveUp();
    };
    const onTry = () => {
      tries += 1;
      if (tries >= triesAtStart) giveUp();
    };
    const timer = setTimeout(giveUp, Math.max(0, deadline - performance.now()));
    client.on('ready', onReady).on('error', onError).on('reconnecting', onTry).on('end', giveUp);
  });
}
