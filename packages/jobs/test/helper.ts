import type { TestRedis } from '@switchyard/test-kit';
import { recordingLogger, silentLogger, startRedis } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import {
  createProducer,
  createWorker,
  type FailedJobEntry,
  type FailedJobsSink,
  type JobWorker,
  type Producer,
  type QueueName,
  type QueueOverrides,
  type RedisClient,
  type WorkerOptions,
} from '../src/index.ts';

/** What tap's tests offer to clean up after them. */
export interface Teardown {
  teardown(work: () => unknown): void;
}

/** A connection as workers have it: waits for ever, times out never. */
export const workerProfile = {
  maxRetriesPerRequest: null,
  retryStrategy: (times: number) => Math.min(times * 50, 500),
};

/** A connection as HTTP services have it: fails at once. */
export const requestProfile = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  commandTimeout: 1000,
  retryStrategy: (times: number) => Math.min(times * 50, 500),
};

/** Connects, and disconnects at the test's end. */
export function connect(
  t: Teardown,
  url: string,
  profile: typeof workerProfile | typeof requestProfile,
): RedisClient {
  const client = new Redis(url, profile);
  // Outages are part of these tests; what they do to a call is asserted there.
  client.on('error', () => undefined);
  t.teardown(() => client.disconnect());
  return client;
}

/** Failed jobs in memory: a real sink is the outbox package's. */
export function memorySink(): FailedJobsSink & { entries: FailedJobEntry[] } {
  const entries: FailedJobEntry[] = [];
  return { entries, record: async (entry) => void entries.push(entry) };
}

/** No rate, quick retries. */
export const quick: QueueOverrides = {
  defaults: { concurrency: 3, attempts: 3, backoffMs: 20 },
  queues: { messages: { backoffMs: 20 }, notifications: { backoffMs: 20 } },
};

/** One queue on a Redis of its own, with a producer and the means to start workers on it. */
export async function testQueues(t: Teardown, given?: TestRedis) {
  const redis = given ?? (await startRedis(t));
  const connection = connect(t, redis.url, workerProfile);
  const log = recordingLogger();
  const producer: Producer = createProducer({
    connection,
    prefix: 'bull',
    overrides: quick,
    logger: silentLogger(),
  });
  t.teardown(() => within(producer.close(), 1000));
  const sink = memorySink();

  async function work<Q extends QueueName>(
    options: Pick<WorkerOptions<Q>, 'queue' | 'processors'> & Partial<WorkerOptions<Q>>,
  ): Promise<JobWorker> {
    const worker = createWorker<Q>({
      connection: connect(t, redis.url, workerProfile),
      prefix: 'bull',
      logger: log.logger,
      failedJobs: sink,
      overrides: quick,
      ...options,
    });
    t.teardown(() => within(worker.close(0), 4000));
    await worker.start();
    return worker;
  }

  return { redis, connection, producer, sink, work, lines: log.lines };
}

/** Clean-up must not outlast a Redis that the test has killed. */
async function within(work: Promise<void>, timeoutMs: number): Promise<void> {
  await Promise.race([work, new Promise<void>((resolve) => setTimeout(resolve, timeoutMs).unref())]);
}

/** A promise and the function that settles it: how a processor tells its test. */
export function signal<T = void>() {
  return Promise.withResolvers<T>();
}

/** A valid job of the simplest kind. */
export function notification(id: string, options = {}) {
  return {
    queue: 'notifications' as const,
    name: 'send-notification' as const,
    payload: {
      notificationId: id,
      key: 'test',
      severity: 'info' as const,
      title: 'A test',
      occurredAtMs: 1_700_000_000_000,
    },
    options,
  };
}
