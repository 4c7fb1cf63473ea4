import type { Logger } from 'pino';
import type { QueueName } from './catalog.ts';
import type { Probe } from './dependency-pause.ts';
import type { FailedJobsSink, JobObserver, Processors, RedisClient } from './job-types.ts';
import type { QueueOverrides } from './queue-overrides.ts';

/** What a worker needs. */
export interface WorkerOptions<Q extends QueueName> {
  queue: Q;
  /** To the Redis of the queue role, in the worker profile (waits, never times out). The worker opens one more beside it. */
  connection: RedisClient;
  /** BullMQ's key prefix: `bull`, or `{bull}` on a cluster. */
  prefix: string;
  processors: Processors<Q>;
  logger: Logger;
  failedJobs: FailedJobsSink;
  observer?: JobObserver;
  overrides?: QueueOverrides;
  /** Whether the dependency behind {@link WorkerOptions.pauseOn} is back. Without it the worker never pauses itself. */
  probe?: Probe;
  /** Codes of *later* errors at which the worker pauses itself. Default: DATABASE_AWAY. */
  pauseOn?: readonly string[];
  /** How long jobs may wait without any progress before the worker counts as wedged. Default 60 s. */
  stuckAfterMs?: number;
}

/** Works off one queue. */
export interface JobWorker {
  /** Resolves when connected and taking jobs. Waits for Redis as long as it takes. */
  start(): Promise<void>;
  /** Takes no more jobs; those under way go on. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** false when jobs wait and this worker does nothing about it: the process should end. */
  isProgressing(): boolean;
  /**
   * Takes no more jobs and waits for those under way; after `timeoutMs` aborts their signals and puts them back. Never takes
   * longer than 3 s beyond that: what could not be put back is found stalled by another worker.
   */
  close(timeoutMs: number): Promise<void>;
}
