import { type QueueCounts, readQueueCounts } from '@switchyard/jobs';
import { checkRedisHealth, type RedisClient } from '@switchyard/redis';
import type { HealthSource, QueueTotals } from '@switchyard/service-kit';

/**
 * What `/health` and `/ready` of every service look at.
 *
 * @param connection to the Redis of the queue role.
 */
export function createHealthSource({
  connection,
  prefix,
  ping,
}: {
  connection: RedisClient;
  prefix: string;
  /** Whether the database answers. */
  ping: () => Promise<boolean>;
}): HealthSource {
  return {
    redisConnected: () => checkRedisHealth(connection),
    async queues() {
      const counts: QueueCounts[] = Object.values(await readQueueCounts({ connection, prefix }));
      return {
        status: counts.some((each) => each.isPaused) ? 'paused' : 'healthy',
        totals: sumCounts(counts),
      };
    },
    checks: { database: ping, queue: () => checkRedisHealth(connection) },
  };
}

/** Adds the figures of many queues up. */
function sumCounts(counts: readonly QueueCounts[]): QueueTotals {
  const totals: QueueTotals = { waiting: 0, active: 0, completed: 0, failed: 0, delayed: 0 };
  for (const each of counts) {
    totals.waiting += each.waiting;
    totals.active += each.active;
    totals.completed += each.completed;
    totals.failed += each.failed;
    totals.delayed += each.delayed;
  }
  return totals;
}
