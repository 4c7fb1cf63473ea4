import {
  createWorker,
  type JobWorker,
  type Processors,
  type QueueName,
  type WorkerOptions,
} from '@switchyard/jobs';
import { connectRedis, type RedisClient, type RoleSettings } from '@switchyard/redis';
import type { Closer } from '@switchyard/service-kit';

/** What all workers of a process have in common. */
export type WorkerSettings = Pick<
  WorkerOptions<QueueName>,
  'prefix' | 'logger' | 'failedJobs' | 'observer' | 'overrides' | 'probe'
> & {
  queueRole: RoleSettings;
  /** How long workers may take to finish what they have, when they are closed. */
  closeTimeoutMs: number;
  closer: Closer;
};

/** The workers of a process. */
export interface WorkerPool {
  add<Q extends QueueName>(queue: Q, processors: Processors<Q>): void;
  start(): Promise<void>;
  /** Queues in which jobs wait while this process makes no progress. */
  stuck(): QueueName[];
}

/**
 * Makes the workers of a process. They share one connection that waits for Redis instead of failing; each opens a blocking one
 * beside it.
 */
export function createWorkerPool(settings: WorkerSettings): WorkerPool {
  const { queueRole, closeTimeoutMs, closer, ...common } = settings;
  const workers: { queue: QueueName; worker: JobWorker }[] = [];
  let connection: RedisClient | undefined;

  function connect(): RedisClient {
    const client = connectRedis(queueRole, { profile: 'worker', logger: common.logger });
    closer.add('redis of workers', () => client.disconnect());
    // Side by side, so that several queues with long jobs don't add their grace up beyond the time that a stop has.
    closer.add('workers', () => Promise.all(workers.map(({ worker }) => worker.close(closeTimeoutMs))));
    return client;
  }

  return {
    add(queue, processors) {
      connection ??= connect();
      workers.push({ queue, worker: createWorker({ ...common, queue, connection, processors }) });
    },
    async start() {
      await Promise.all(workers.map(({ worker }) => worker.start()));
    },
    stuck: () => workers.filter(({ worker }) => !worker.isProgressing()).map(({ queue }) => queue),
  };
}
