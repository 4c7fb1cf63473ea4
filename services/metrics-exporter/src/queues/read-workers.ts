import { type QueueName, queueNames } from '@switchyard/jobs';
import type { RedisClient } from '@switchyard/redis';

/** How many workers listen on each queue; undefined where Redis does not tell (`CLIENT LIST` may be forbidden). */
export type WorkerCounts = Record<QueueName, number> | undefined;

/**
 * Counts the workers of all queues in one round trip (on a cluster, one to each master): BullMQ names the connection on
 * which a worker waits for jobs after its queue.
 *
 * @throws the connection's error; a refusal of the command is an answer: undefined.
 */
export async function readWorkers(connection: RedisClient, prefix: string): Promise<WorkerCounts> {
  const queueOfName = new Map(
    queueNames.map((queue) => [`${prefix}:${Buffer.from(queue).toString('base64')}`, queue]),
  );
  const counts = Object.fromEntries(queueNames.map((queue) => [queue, 0])) as Record<QueueName, number>;
  const nodes = 'nodes' in connection ? connection.nodes('master') : [connection];
  let lists: string[];
  try {
    lists = await Promise.all(nodes.map(async (node) => String(await node.client('LIST'))));
  } catch (error) {
    if (/NOPERM|unknown command/i.test((error as Error).message)) return undefined;
    throw error;
  }
  for (const list of lists)
    for (const [, name] of list.matchAll(/ name=(\S+)/g)) {
      const queue = queueOfName.get((name ?? '').replace(/:w:.*$/, ''));
      if (queue !== undefined) counts[queue] += 1;
    }
  return counts;
}
