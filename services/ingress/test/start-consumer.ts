import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Test } from 'tap';

/** Counts what a consumer of `inbound` would do, per event; done jobs leave Redis at once, as the worst case has it. */
export function startConsumer(t: Test, url: string) {
  const effects = new Map<string, number>();
  const connection = new Redis(`${url}/1`, { maxRetriesPerRequest: null });
  connection.on('error', () => undefined);
  const worker = new Worker(
    'inbound',
    async ({ data }) => {
      const id = String(data.payload.message.id);
      effects.set(id, (effects.get(id) ?? 0) + 1);
    },
    { connection, removeOnComplete: { count: 0 } },
  );
  worker.on('error', () => undefined);
  t.teardown(async () => {
    await worker.close();
    connection.disconnect();
  });
  return effects;
}
