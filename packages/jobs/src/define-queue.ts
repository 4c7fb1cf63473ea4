import type { Static, TObject } from 'typebox';

/** The services that consume queues. Exactly one consumes each queue. */
export type ServiceName = 'ingress' | 'campaign-sender' | 'flow-engine' | 'notifier' | 'metrics-exporter';

/** One kind of job: its payload and the rule that gives it an id. */
export interface JobDefinition<S extends TObject = TObject> {
  /** Checked before a job is added and again before it is processed. New fields are optional until old jobs have drained. */
  readonly schema: S;
  /**
   * The job's id, the same for the same work, so that adding it twice is harmless while it is kept. Neither `:` nor digits
   * alone (BullMQ refuses both). Without a rule the caller gives the id, or BullMQ makes one.
   */
  readonly jobId?: (payload: Static<S>) => string | undefined;
  /** 1 (highest) to 10, for queues that are `prioritized`. */
  readonly priority?: (payload: Static<S>) => number;
}

/** Everything that is known of a queue. Requirement R2 fixes the numbers where it names them. */
export interface QueueDefinition<Jobs extends Record<string, JobDefinition> = Record<string, JobDefinition>> {
  /** What the queue holds, in one line. */
  readonly description: string;
  readonly consumer: ServiceName;
  readonly jobs: Jobs;
  /** Attempts in all, the first included. Undefined: `QUEUE_ATTEMPTS` applies (R2.12). */
  readonly attempts?: number;
  /** First pause of the exponential backoff. Undefined: `QUEUE_BACKOFF_DELAY` applies. */
  readonly backoffMs?: number;
  /** An attempt that takes longer is aborted and counts as failed. */
  readonly timeoutMs: number;
  /** Jobs one worker process handles at a time. Undefined: `QUEUE_CONCURRENCY` applies. */
  readonly concurrency?: number;
  /** At most `max` jobs per `durationMs` over all workers. Undefined: no limit, unless configured. */
  readonly rate?: { readonly max: number; readonly durationMs: number };
  /** Every job gets a priority: in BullMQ one without overtakes priority 1. */
  readonly prioritized?: boolean;
  /** Priority of jobs that state none. */
  readonly defaultPriority?: number;
  /**
   * Crashes of workers that a job survives before it counts as their cause; 3 unless said. More for a queue whose workers hold hundreds of
   * jobs at a time: most of them were only there.
   */
  readonly stalledMost?: number;
  /** How many finished jobs stay in Redis. `failed: 'all'` never trims. */
  readonly retention: { readonly completed: number; readonly failed: number | 'all' };
}

/** Declares one kind of job; gives the payload its type. */
export function defineJob<S extends TObject>(definition: JobDefinition<S>): JobDefinition<S> {
  return definition;
}

/** Declares a queue; keeps the names of its jobs as types. */
export function defineQueue<const Jobs extends Record<string, JobDefinition<never> | JobDefinition>>(
  definition: Omit<QueueDefinition, 'jobs'> & { jobs: Jobs },
): Omit<QueueDefinition, 'jobs'> & { readonly jobs: Jobs } {
  return definition;
}
