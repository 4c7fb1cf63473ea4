import type { ChainableCommander } from 'ioredis';
import { type QueueName, queueNames } from './catalog.ts';
import type { RedisClient } from './job-types.ts';
import { definitionOf } from './payload-check.ts';

/** One queue's figures (R6.2). `waiting` includes jobs with a priority. */
export interface QueueCounts {
  name: QueueName;
  waiting: number;
  active: number;
  completed: number;
  failed: number;
  delayed: number;
  isPaused: boolean;
}

/** For how long the oldest waiting job has been due, in ms; undefined where none waits. */
export type OldestWaiting = Record<QueueName, number | undefined>;

interface ReadOptions<Q extends QueueName> {
  connection: RedisClient;
  prefix: string;
  /** Default: all of the catalog. */
  queues?: readonly Q[];
}

/** BullMQ's score of a job with priority: priority × 2^32 plus a counter. */
const priorityStep = 2 ** 32;
const lowestPriority = 10;

/**
 * Reads the figures of many queues in one round trip.
 *
 * @throws the connection's error, also when a single command fails.
 */
export async function readQueueCounts<Q extends QueueName = QueueName>({
  connection,
  prefix,
  queues = queueNames as readonly QueueName[] as readonly Q[],
}: ReadOptions<Q>): Promise<Record<Q, QueueCounts>> {
  const pipeline = connection.pipeline();
  for (const queue of queues) {
    const key = (suffix: string) => `${prefix}:${queue}:${suffix}`;
    pipeline
      .llen(key('wait'))
      // Jobs of a paused queue stay waiting in BullMQ 6; a list of an earlier version may be left.
      .llen(key('paused'))
      .zcard(key('prioritized'))
      .llen(key('active'))
      .zcard(key('completed'))
      .zcard(key('failed'))
      .zcard(key('delayed'))
      .hexists(key('meta'), 'paused');
  }
  const values = (await run(pipeline)).map(Number);
  const counts = {} as Record<Q, QueueCounts>;
  for (const [index, name] of queues.entries()) {
    const at = (offset: number) => values[index * 8 + offset] ?? 0;
    counts[name] = {
      name,
      waiting: at(0) + at(1) + at(2),
      active: at(3),
      completed: at(4),
      failed: at(5),
      delayed: at(6),
      isPaused: at(7) === 1,
    };
  }
  return counts;
}

/**
 * Reads how long each queue's oldest waiting job has been due, in two round trips whatever the queues' length.
 *
 * Of each priority the first in line is looked at, of the rest the next to be served.
 *
 * @throws the connection's error, also when a single command fails.
 */
export async function readOldestWaiting<Q extends QueueName = QueueName>({
  connection,
  prefix,
  queues = queueNames as readonly QueueName[] as readonly Q[],
}: ReadOptions<Q>): Promise<Record<Q, number | undefined>> {
  const heads = connection.pipeline();
  const headOwners: Q[] = [];
  for (const queue of queues) {
    heads.lrange(`${prefix}:${queue}:wait`, -1, -1);
    headOwners.push(queue);
    const levels = definitionOf(queue).prioritized ? lowestPriority : 0;
    for (let priority = 1; priority <= levels; priority++) {
      const range = [priority * priorityStep, `(${(priority + 1) * priorityStep}`] as const;
      heads.zrangebyscore(`${prefix}:${queue}:prioritized`, ...range, 'LIMIT', 0, 1);
      headOwners.push(queue);
    }
    if (levels === 0) {
      heads.zrange(`${prefix}:${queue}:prioritized`, 0, '0');
      headOwners.push(queue);
    }
  }
  const found = (await run(heads)).flatMap((ids, index) =>
    (ids as string[]).map((id) => ({ queue: headOwners[index] as Q, id })),
  );
  const ages = Object.fromEntries(queues.map((queue) => [queue, undefined])) as Record<Q, number | undefined>;
  if (found.length === 0) return ages;
  const details = connection.pipeline();
  for (const { queue, id } of found)
    details.hmget(`${prefix}:${queue}:${id}`, 'timestamp', 'opts', 'processedOn');
  const nowMs = Date.now();
  for (const [index, values] of (await run(details)).entries()) {
    const { queue } = found[index]!;
    const dueAtMs = dueAt(values as (string | null)[]);
    if (dueAtMs !== undefined) ages[queue] = Math.max(ages[queue] ?? 0, nowMs - dueAtMs);
  }
  return ages;
}

/** A job is due from its adding plus its own delay; one that is tried again, from its last start. */
function dueAt([timestamp, opts, processedOn]: (string | null)[]): number | undefined {
  // Taken, finished and removed between the two round trips.
  if (timestamp === null || timestamp === undefined) return undefined;
  const { delay } = JSON.parse(opts ?? '{}') as { delay?: number };
  return Math.max(Number(timestamp) + (delay ?? 0), Number(processedOn ?? 0));
}

async function run(pipeline: ChainableCommander): Promise<unknown[]> {
  const answers = (await pipeline.exec()) ?? [];
  return answers.map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}
