import type { RedisClient } from '@switchyard/redis';
import { withinDeadline } from './within-deadline.ts';

/** Watches the memory of the queue Redis, so that webhooks are turned away before it is full. */
export interface MemoryGuard {
  /** Whether the last look found it near its limit. */
  isFull(): boolean;
  /** Looks. A failure leaves what was known: a Redis that is away refuses jobs by itself. */
  look(): Promise<void>;
}

/**
 * Creates the guard.
 *
 * A full `noeviction` Redis refuses every write, the workers' too, so that nothing could drain it (`queues.md`): ingress, which
 * has a provider that retries, stops first.
 *
 * @param settings.limitPercent of `maxmemory`; without `maxmemory` there is nothing to guard.
 */
export function createMemoryGuard(settings: { client: RedisClient; limitPercent: number }): MemoryGuard {
  const { client, limitPercent } = settings;
  let full = false;
  return {
    isFull: () => full,
    async look() {
      if (client.status !== 'ready') return;
      const info = await withinDeadline(
        client.info('memory'),
        1000,
        () => new Error('the queue Redis did not tell its memory in time'),
      );
      const used = readFigure(info, 'used_memory');
      const maximum = readFigure(info, 'maxmemory');
      full = maximum > 0 && used * 100 >= maximum * limitPercent;
    },
  };
}

function readFigure(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}
