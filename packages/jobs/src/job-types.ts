import type { Cluster, Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { JobName, JobPayload, QueueName } from './catalog.ts';

/** A connection to the Redis of the queue role. */
export type RedisClient = Redis | Cluster;

/** What travels with a job beside its payload, for logs and traces. */
export interface JobMeta {
  /** Ties everything together that one request or webhook set off. */
  correlationId?: string;
  /** W3C trace context. */
  traceparent?: string;
  merchantId?: string;
}

/** What one job may have otherwise than its queue. */
export interface AddOptions {
  /** Not empty, not all digits, no `:` (see `toJobId`). Without it the catalog's rule applies, or BullMQ makes an id. */
  jobId?: string;
  /** 1 (highest) to 10. In a queue that is not `prioritized`, a job without priority overtakes all that have one. */
  priority?: number;
  /** Attempts in all, the first included. */
  attempts?: number;
  /** Earliest start, from now. */
  delayMs?: number;
  /** true: forget the job once done; a number: keep so many. */
  removeOnComplete?: boolean | number;
  /** For so long a second job with this id is dropped, even if the first is gone from Redis. Needs an id. */
  deduplicationTtlMs?: number;
}

/** A job of any queue, ready to be added. */
export type JobToAdd = {
  [Q in QueueName]: {
    [J in JobName<Q>]: {
      queue: Q;
      name: J;
      payload: JobPayload<Q, J>;
      options?: AddOptions;
      meta?: JobMeta;
    };
  }[JobName<Q>];
}[QueueName];

/** What a processor is told of its job. */
export interface ProcessedJob {
  readonly id: string;
  readonly name: string;
  readonly queue: QueueName;
  /** 1 for the first. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly enqueuedAtMs: number;
  /** 1 (highest) to 10, where its queue has priorities. */
  readonly priority?: number;
  readonly meta: JobMeta;
}

/** What a processor gets beside the payload. */
export interface ProcessorContext {
  /** Bound to queue, job, job id, attempt and correlation id. */
  readonly logger: Logger;
  /** Aborted on time-out, shutdown and loss of the job's lock; pass it to every call that takes long. */
  readonly signal: AbortSignal;
  readonly job: ProcessedJob;
}

/**
 * Does one job. Safe to run twice.
 *
 * Its end decides the outcome: a value is *done* (keep it small: it is stored in Redis); a `CodedError` has its outcome (*retry*,
 * *later*, *never*); anything else thrown is *retry*.
 */
export type Processor<P, R = unknown> = (payload: P, context: ProcessorContext) => Promise<R>;

/** The processors of a queue, by job. A job without one fails for good and is kept. */
export type Processors<Q extends QueueName> = { [J in JobName<Q>]?: Processor<JobPayload<Q, J>> };

/** A final failure, whole. */
export interface FailedJobEntry {
  queue: QueueName;
  name: string;
  jobId: string;
  /** The job's data as it was in Redis, as JSON: `{v, payload, meta}` unless it was never readable. */
  data: string;
  reason: string;
  code: string;
  attemptsMade: number;
  failedAtMs: number;
  merchantId?: string;
  correlationId?: string;
}

/** Where final failures are kept until someone retries or drops them. Must absorb the same entry twice. */
export interface FailedJobsSink {
  record(entry: FailedJobEntry): Promise<void>;
}

/** How an attempt ended; `exhausted` is a *retry* that was the last. */
export type AttemptOutcome = 'done' | 'retry' | 'later' | 'never' | 'exhausted';

/** Told of every attempt, for metrics. */
export interface JobObserver {
  onFinished(attempt: {
    queue: QueueName;
    name: string;
    outcome: AttemptOutcome;
    /** From the time the job was due first (added, plus its own delay) to this start, earlier attempts included. */
    waitMs: number;
    processMs: number;
  }): void;
  /** A job was found without a living worker and put back. */
  onStalled?(stalled: { queue: QueueName; jobId: string }): void;
}
