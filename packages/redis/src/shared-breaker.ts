import { randomUUID } from 'node:crypto';
import { defineError } from '@switchyard/errors';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { runBreakerScript } from './breaker-script.ts';
import {
  advanceBreaker,
  type BreakerAnswer,
  type BreakerEvent,
  type BreakerPolicy,
  type BreakerState,
  closedBreaker,
} from './breaker-state.ts';
import { type RedisClient, roleOf } from './redis-client.ts';
import { createRedisGuard } from './redis-guard.ts';

/** A dependency fails too often to be called now. `delayMs` says when to come back. */
export const circuitOpen = defineError('CIRCUIT_OPEN', 503, 'later');

/** Circuit breakers, one per key, whose state all instances share (R3.6). */
export interface SharedBreaker {
  /**
   * Runs `work` unless the breaker is open. When its time is up, exactly one call over all instances
   * goes through as a probe and decides.
   *
   * @param key what is protected: an endpoint, a provider.
   * @throws CIRCUIT_OPEN (`later`) without running `work`; else what `work` throws.
   */
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** The state that Redis knows, for display. */
  read(key: string): Promise<'closed' | 'open' | 'half-open'>;
}

/** Settings of {@link createSharedBreaker}. */
export interface SharedBreakerOptions extends Partial<BreakerPolicy> {
  /** A client of the queue role: breaker state must not be evicted. */
  client: RedisClient;
  logger: Logger;
  /** Tells groups of breakers apart, such as `endpoint`; part of the Redis key. */
  name: string;
  /** Which errors count; by default all. Those that don't, count as successes: the dependency did answer. */
  isFailure?: (error: unknown) => boolean;
  /**
   * How long an instance trusts what it last heard of a breaker, 500 ms by default: the longest time for
   * which it goes on calling after another instance has opened it. Asking costs one round trip per key.
   */
  refreshMs?: number;
  /** How long a call waits for Redis, 1 s by default. */
  timeoutMs?: number;
}

/** What this process last heard of one breaker. */
interface Memory {
  answer: BreakerAnswer;
  heardAt: number;
  /** Not told to Redis yet. */
  successes: number;
  isAsking: boolean;
}

/**
 * Makes breakers whose closed state costs no round trip per call: it is remembered for `refreshMs` and
 * renewed behind the calls' back, together with the count of what succeeded. Failures are told at once.
 * While Redis is away each instance goes by what it sees itself.
 */
export function createSharedBreaker(options: SharedBreakerOptions): SharedBreaker {
  const { client, logger, name, isFailure = () => true, refreshMs = 500, timeoutMs = 1000 } = options;
  const openMs = options.openMs ?? 10_000;
  const policy: BreakerPolicy = {
    windowMs: options.windowMs ?? 10_000,
    minimumFailures: options.minimumFailures ?? 5,
    failureRatio: options.failureRatio ?? 0.5,
    openMs,
    maxOpenMs: Math.max(openMs, options.maxOpenMs ?? 300_000),
    probeMs: options.probeMs ?? 30_000,
  };
  const { role, keyPrefix } = roleOf(client, 'queue');
  const fallback = 'circuit breakers within this process only';
  const guard = createRedisGuard({ client, logger, role, fallback, timeoutMs });
  const memories = new LRUCache<string, Memory>({ max: 20_000 });
  const states = new LRUCache<string, BreakerState>({ max: 20_000 });

  function tell(key: string, event: BreakerEvent): Promise<BreakerAnswer> {
    return guard.run(
      () => runBreakerScript(client, `${keyPrefix}sw:breaker:${name}:${key}`, event, policy),
      () => {
        const state = states.get(key) ?? closedBreaker();
        states.set(key, state);
        return advanceBreaker(state, event, Date.now(), policy);
      },
    );
  }

  /** Tells what has succeeded since last time (and failed now), and hears the state. */
  async function sync(key: string, memory: Memory, failures: number): Promise<void> {
    const { successes } = memory;
    memory.successes = 0;
    memory.isAsking = true;
    memory.answer = await tell(key, { type: 'sync', failures, successes });
    memory.heardAt = performance.now();
    memory.isAsking = false;
  }

  async function recall(key: string): Promise<Memory> {
    let memory = memories.get(key);
    if (!memory) {
      memory = { answer: { phase: 'closed', waitMs: 0 }, heardAt: 0, successes: 0, isAsking: false };
      memories.set(key, memory);
      await sync(key, memory, 0);
      return memory;
    }
    const isStale = performance.now() - memory.heardAt >= refreshMs;
    if (isStale && !memory.isAsking) {
      const asked = sync(key, memory, 0);
      if (memory.answer.phase !== 'closed') await asked;
    }
    return memory;
  }

  async function runClosed<T>(key: string, memory: Memory, work: () => Promise<T>): Promise<T> {
    try {
      const value = await work();
      memory.successes += 1;
      return value;
    } catch (error) {
      if (isFailure(error)) await sync(key, memory, 1);
      else memory.successes += 1;
      throw error;
    }
  }

  async function runProbe<T>(key: string, memory: Memory, probe: string, work: () => Promise<T>): Promise<T> {
    let result: 'success' | 'failure' = 'success';
    try {
      return await work();
    } catch (error) {
      if (isFailure(error)) result = 'failure';
      throw error;
    } finally {
      memory.answer = await tell(key, { type: 'settle', probe, result });
      memory.heardAt = performance.now();
      logger.info({ breaker: name, key, result }, 'circuit breaker probed');
    }
  }

  return {
    async run(key, work) {
      const memory = await recall(key);
      if (memory.answer.phase === 'closed') return runClosed(key, memory, work);
      const leftMs = memory.heardAt + memory.answer.waitMs - performance.now();
      if (leftMs > 0) throw circuitOpen('the circuit is open', { delayMs: Math.ceil(leftMs) });
      const probe = randomUUID();
      const answer = await tell(key, { type: 'admit', probe });
      if (answer.phase === 'probe') return runProbe(key, memory, probe, work);
      memory.answer = answer;
      memory.heardAt = performance.now();
      if (answer.phase === 'closed') return runClosed(key, memory, work);
      throw circuitOpen('the circuit is open', { delayMs: Math.ceil(answer.waitMs) });
    },
    async read(key) {
      const { phase, waitMs } = await tell(key, { type: 'sync', failures: 0, successes: 0 });
      if (phase === 'closed') return 'closed';
      return waitMs > 0 ? 'open' : 'half-open';
    },
  };
}
