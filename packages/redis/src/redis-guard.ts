import type { Logger } from 'pino';
import type { RedisClient } from './redis-client.ts';
import type { RedisRole } from './role-settings.ts';
import { createUnavailableWarning } from './unavailable-warning.ts';

/** Bounds work on Redis in time and puts something else in its place when that fails. */
export interface RedisGuard {
  /** Whether Redis answered last time, as far as known without asking. */
  isOpen(): boolean;
  /** Runs `work`; when Redis is dead, hung or refuses, warns and returns what `fallback` returns. Never rejects for Redis. */
  run<T>(work: () => Promise<T>, fallback: () => T): Promise<T>;
}

/** Settings of {@link createRedisGuard}. */
export interface RedisGuardOptions {
  client: RedisClient;
  logger: Logger;
  role: RedisRole;
  /** What happens instead, for the log line. */
  fallback: string;
  /** How long Redis may take to answer, 1 s by default. Holds for a client without `commandTimeout` too. */
  timeoutMs?: number;
  /** After a time-out: how long nobody asks again, so that a hung Redis slows one call and not every call. */
  pauseMs?: number;
}

/** Makes the guard that every fail-open part of this package stands behind. */
export function createRedisGuard(options: RedisGuardOptions): RedisGuard {
  const { client, logger, role, fallback, timeoutMs = 1000, pauseMs = 1000 } = options;
  const warn = createUnavailableWarning(logger, role, fallback);
  let hung = false;
  let askAgainAt = 0;

  /** While Redis hangs, one call per pause finds out whether it still does; the others don't wait for it. */
  function mayAsk(): boolean {
    if (client.status !== 'ready') return false;
    if (!hung) return true;
    const now = performance.now();
    if (now < askAgainAt) return false;
    askAgainAt = now + timeoutMs + pauseMs;
    return true;
  }

  function onTimeout(): void {
    hung = true;
    askAgainAt = performance.now() + pauseMs;
  }

  return {
    isOpen: () => client.status === 'ready' && !hung,
    run<T>(work: () => Promise<T>, instead: () => T): Promise<T> {
      if (!mayAsk()) {
        warn(new Error(hung ? 'no answer in time' : `connection is ${client.status}`));
        return new Promise((resolve) => resolve(instead()));
      }
      return new Promise<T>((resolve, reject) => {
        let isSettled = false;
        const failed = (error: unknown) => {
          if (isSettled) return;
          isSettled = true;
          clearTimeout(timer);
          if (isTimeout(error)) onTimeout();
          warn(error);
          try {
            resolve(instead());
          } catch (problem) {
            reject(problem);
          }
        };
        const timer = setTimeout(() => failed(new Error('Command timed out')), timeoutMs);
        work().then((value) => {
          hung = false;
          if (isSettled) return;
          isSettled = true;
          clearTimeout(timer);
          resolve(value);
        }, failed);
      });
    },
  };
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out';
}
