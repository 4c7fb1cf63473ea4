import { type QueueName, queueNames } from '@switchyard/jobs';
import type { RedisClient } from '@switchyard/redis';

/** Jobs that ended for good, minute by minute, as the workers count them. */
export interface Series {
  /** Since the queue exists. */
  total: number;
  /** Newest first; the first is the minute under way. */
  minutes: number[];
}

/** What a queue's workers have done. */
export interface Throughput {
  completed: Series;
  failed: Series;
}

const MINUTE_MS = 60_000;
const kinds = ['completed', 'failed'] as const;

/**
 * Reads BullMQ's metrics of all queues in one round trip.
 *
 * @param minutes how far back, the minute under way included; the workers keep a day.
 * @throws the connection's error, also when a single command fails.
 */
export async function readThroughput(
  { connection, prefix, minutes }: { connection: RedisClient; prefix: string; minutes: number },
  nowMs = Date.now(),
): Promise<Record<QueueName, Throughput>> {
  const pipeline = connection.pipeline();
  for (const queue of queueNames)
    for (const kind of kinds) {
      const key = `${prefix}:${queue}:metrics:${kind}`;
      pipeline.hmget(key, 'count', 'prevTS', 'prevCount');
      pipeline.lrange(`${key}:data`, 0, Math.max(0, minutes - 2));
    }
  const answers = (await pipeline.exec()) ?? [];
  const values = answers.map(([error, value]) => {
    if (error) throw error;
    return value as (string | null)[];
  });
  let at = 0;
  const next = () => toSeries(values[at++] ?? [], values[at++] ?? [], minutes, nowMs);
  return Object.fromEntries(
    queueNames.map((queue) => [queue, { completed: next(), failed: next() }]),
  ) as Record<QueueName, Throughput>;
}

/**
 * Lays BullMQ's points on the clock. It writes a minute's point with the first job of a later minute, so the list begins
 * with the minute before `prevTS`; what was counted since then belongs to the minute of `prevTS`.
 */
export function toSeries(
  [count, prevTs, prevCount]: readonly (string | null)[],
  points: readonly (string | null)[],
  minutes: number,
  nowMs: number,
): Series {
  const total = Number(count ?? 0);
  const series = { total, minutes: Array<number>(minutes).fill(0) };
  if (!prevTs) return series;
  // A worker's clock may be ahead of this one's: its minute counts as the one under way.
  const offset = Math.max(0, Math.floor(nowMs / MINUTE_MS) - Math.floor(Number(prevTs) / MINUTE_MS));
  const counted = [total - Number(prevCount ?? 0), ...points.map(Number)];
  for (const [index, value] of counted.entries())
    if (index + offset < minutes) series.minutes[index + offset] = value;
  return series;
}
