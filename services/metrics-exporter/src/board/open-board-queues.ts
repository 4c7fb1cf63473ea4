import { createProducer, type Producer } from '@switchyard/jobs';
import { connectRedis, type RedisClient, type RoleSettings } from '@switchyard/redis';
import type { Logger } from 'pino';

/** Cleaning a long queue is one script that may run for seconds; a page never waits longer than this. */
const commandTimeoutMs = 10_000;

/** A connection of the dashboard's own, and the queues on it: its long scripts must not stand before health and metrics. */
export function openBoardQueues(
  role: RoleSettings,
  { prefix, logger }: { prefix: string; logger: Logger },
): { producer: Producer; client: RedisClient; close: () => Promise<void> } {
  const client = connectRedis(role, { profile: 'request', logger, commandTimeoutMs });
  const producer = createProducer({ connection: client, prefix, logger });
  return {
    producer,
    client,
    async close() {
      await producer.close();
      client.disconnect();
    },
  };
}
