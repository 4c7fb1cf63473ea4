import type { TestRedis } from '@switchyard/test-kit';
import { until } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import type { startIngress } from './ingress.ts';

type Ingress = Awaited<ReturnType<typeof startIngress>>;

/** Every replay that is recorded. */
export const replaysOf = ({ runtime }: Pick<Ingress, 'runtime'>) =>
  runtime.database.db.selectFrom('archive_replays').selectAll().orderBy('id').execute();

/** Waits until ingress has left a time that is later than now in the queue's Redis. */
export async function beaten(redis: Pick<TestRedis, 'url'>): Promise<void> {
  const client = new Redis(`${redis.url}/1`);
  const latest = async () =>
    Math.max(0, ...Object.values(await client.hgetall('sw:ingress:bull:beats')).map(Number));
  const sinceMs = Date.now();
  await until(async () => (await latest()) > sinceMs, { what: 'a beat', timeoutMs: 30_000 });
  client.disconnect();
}
