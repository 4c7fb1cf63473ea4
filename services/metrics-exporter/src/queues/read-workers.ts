import { type QueueName, queueNames } from '@switchyard/jobs';
import type { RedisClient } from '@switchyard/redis';

/** How many workers listen on each queue; undefined where Redis does not tell (`CLIENT LIST` may be forbidden). */
export type WorkerCounts = Record<QueueName, number> | undefined;

/**
 * Counts the workers of all queues in one round trip (on a cluster, one to each master): BullMQ names the connection on
 * which a worker waits for jobs after its queue. The list is the whole server's: clients of another database, so of another
 * installation, are left out.
 *
 * @param db the queue role's database.
 * @throws the connection's error; a refusal of the command is an answer: undefined.
 */
export async function readWorkers({
  connection,
  prefix,
  db,
}: {
  connection: RedisClient;
  prefix: string;
  db: number;
}): Promise<WorkerCounts> {
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
  for (const list of lists) {
    const onNode = new Map<QueueName, number>();
    for (const [, name, clientDb] of list.matchAll(/ name=(\S+) .*?\bdb=(\d+)/g)) {
      const queue = queueOfName.get((name ?? '').replace(/:w:.*$/, ''));
      if (queue !== undefined && Number(clientDb) === db) onNode.set(queue, (onNode.get(queue) ?? 0) + 1);
    }
    // A worker is connected to the node that holds its queue, and may be to others too: the most of a node are all.
    for (const [queue, count] of onNode) counts[queue] = Math.max(counts[queue], count);
  }
  return counts;
}
