import { isCodedError } from '@switchyard/errors';
import { type Job, type JobsOptions, Queue } from 'bullmq';
import type { Logger } from 'pino';
import type { QueueName } from './catalog.ts';
import { type Envelope, envelopeVersion } from './envelope.ts';
import { createErrorLog } from './error-log.ts';
import { payloadInvalid, queueAway } from './errors.ts';
import { jobOptions } from './job-options.ts';
import type { JobToAdd, RedisClient } from './job-types.ts';
import { checkPayload } from './payload-check.ts';
import { type QueueLink, watchLink } from './queue-link.ts';
import type { QueueOverrides } from './queue-overrides.ts';
import { type QueueSettings, settingsOf } from './queue-settings.ts';

/** Adds of {@link Producer.addMany} under way at a time. Beyond 100, queues.md measured no more throughput. */
const inFlight = 100;

/** Entries a queue's event stream keeps: only those who wait for one job's result read it. */
const eventsKept = 1000;

/** What a producer needs. */
export interface ProducerOptions {
  /** To the Redis of the queue role; its profile decides whether `add` fails fast or waits. Not closed by the producer. */
  connection: RedisClient;
  /** BullMQ's key prefix: `bull`, or `{bull}` on a cluster. */
  prefix: string;
  overrides?: QueueOverrides;
  logger: Logger;
}

/** Adds jobs to the queues of the catalog. */
export interface Producer {
  /**
   * Checks a job, then adds it.
   *
   * With a job id, adding twice is harmless while the first is kept; the answer does not tell which of the two it was.
   *
   * @throws JOB_UNKNOWN, PAYLOAD_INVALID, JOB_ID_INVALID: nothing was added.
   * @throws QUEUE_AWAY: it may or may not have been added.
   */
  add(job: JobToAdd): Promise<{ jobId: string }>;
  /**
   * Checks all jobs, then adds them, at most 100 at a time. When one can't be added the rest is left; what was under way is
   * waited for. Job ids make it safe to do again.
   *
   * @throws as {@link Producer.add}; after PAYLOAD_INVALID nothing was added.
   */
  addMany(jobs: readonly JobToAdd[]): Promise<void>;
  /** As {@link Producer.add}, but a completed or failed job of the same id makes way: for a retry by hand. */
  addAgain(job: JobToAdd): Promise<{ jobId: string }>;
  /**
   * Takes a job that has completed or failed out of its queue; one that is to run, or runs, stays.
   *
   * @throws QUEUE_AWAY
   */
  forget(queue: QueueName, jobId: string): Promise<void>;
  /**
   * Takes completed jobs whose data or result passes a test out of their queue; of those that failed, the failed jobs' keeper knows.
   *
   * @param test gets data and result as JSON.
   * @throws QUEUE_AWAY
   */
  forgetCompleted(queue: QueueName, test: (text: string) => boolean): Promise<void>;
  /** Throws what {@link Producer.add} would throw of the job itself, without adding: before a transaction that records it. */
  check(job: JobToAdd): void;
  /** Whether what was added can have been forgotten. */
  readonly link: QueueLink;
  /** BullMQ's queue, for what only it can do. Opened on first use. */
  queue(name: QueueName): Queue;
  /** Lets go of the queues; the connection stays open. */
  close(): Promise<void>;
}

interface OpenQueue {
  readonly queue: Queue;
  readonly settings: QueueSettings;
}

interface PreparedJob {
  readonly queue: Queue;
  readonly queueName: QueueName;
  readonly name: string;
  readonly data: Envelope;
  readonly options: JobsOptions;
}

/** Makes the producer of a process. */
export function createProducer({ connection, prefix, overrides, logger }: ProducerOptions): Producer {
  const open = new Map<QueueName, OpenQueue>();
  const log = createErrorLog(logger);
  const link = watchLink(connection, prefix);
  // A client without an offline queue promises to fail at once; BullMQ itself would wait for the first connection.
  const failsFast = connection.options.enableOfflineQueue === false;

  function openQueue(name: QueueName): OpenQueue {
    const known = open.get(name);
    if (known) return known;
    const queue = new Queue(name, {
      connection,
      prefix,
      streams: { events: { maxLen: eventsKept } },
      // The start-up check of the connection's owner has seen the version; BullMQ would ask again for every queue.
      skipVersionCheck: true,
    });
    queue.on('error', (error) => log(error, { queue: name }, 'queue connection'));
    const entry = { queue, settings: settingsOf(name, overrides) };
    open.set(name, entry);
    return entry;
  }

  function prepare(job: JobToAdd): PreparedJob {
    const definition = checkPayload(job.queue, job.name, job.payload);
    const entry = openQueue(job.queue);
    const options = jobOptions(definition, entry.settings, job.payload, job.options ?? {});
    const data: Envelope = { v: envelopeVersion, payload: job.payload };
    if (job.meta !== undefined) data.meta = job.meta;
    return { queue: entry.queue, queueName: job.queue, name: job.name, data, options };
  }

  function checkConnection(queue: QueueName): void {
    if (failsFast && connection.status !== 'ready') throw unreachable(queue, undefined);
  }

  async function put({ queue, queueName, name, data, options }: PreparedJob): Promise<{ jobId: string }> {
    checkConnection(queueName);
    let added: Job;
    try {
      added = await queue.add(name, data, options);
    } catch (error) {
      throw addFailure(queueName, error);
    }
    return { jobId: added.id as string };
  }

  /** Only by its id: data that can't be read must not keep a job from being forgotten. */
  async function forget(name: QueueName, jobId: string): Promise<void> {
    checkConnection(name);
    const { queue } = openQueue(name);
    try {
      const state = await queue.getJobState(jobId);
      if (state === 'completed' || state === 'failed') await queue.remove(jobId);
    } catch (error) {
      throw unreachable(name, error);
    }
  }

  /** The jobs of a queue that are kept though they have completed: a hundred or so, by the queue's retention. */
  async function completedJobs(name: QueueName): Promise<{ id: string; text: string }[]> {
    checkConnection(name);
    const key = (suffix: string) => `${prefix}:${name}:${suffix}`;
    try {
      const ids = await connection.zrange(key('completed'), 0, '-1');
      const pipeline = connection.pipeline();
      for (const id of ids) pipeline.hmget(key(id), 'data', 'returnvalue');
      const answers = (await pipeline.exec()) ?? [];
      return answers.map(([error, fields], index) => {
        if (error) throw error;
        return { id: ids[index]!, text: (fields as (string | null)[]).join('\n') };
      });
    } catch (error) {
      throw unreachable(name, error);
    }
  }

  return {
    add: async (job) => put(prepare(job)),
    async addMany(jobs) {
      const remaining = jobs.map(prepare).values();
      let failed = false;
      const lanes = Array.from({ length: Math.min(inFlight, jobs.length) }, async () => {
        for (const job of remaining) {
          if (failed) return;
          try {
            await put(job);
          } catch (error) {
            failed = true;
            throw error;
          }
        }
      });
      const ends = await Promise.allSettled(lanes);
      const failure = ends.find((end) => end.status === 'rejected');
      if (failure) throw failure.reason;
    },
    async addAgain(job) {
      const prepared = prepare(job);
      if (prepared.options.jobId !== undefined) await forget(job.queue, prepared.options.jobId);
      return put(prepared);
    },
    forget,
    async forgetCompleted(queue, test) {
      for (const { id, text } of await completedJobs(queue)) if (test(text)) await forget(queue, id);
    },
    check(job) {
      const definition = checkPayload(job.queue, job.name, job.payload);
      jobOptions(definition, settingsOf(job.queue, overrides), job.payload, job.options ?? {});
    },
    link,
    queue: (name) => openQueue(name).queue,
    async close() {
      link.close();
      await Promise.all([...open.values()].map(({ queue }) => queue.close()));
      open.clear();
    },
  };
}

function unreachable(queue: QueueName, cause: unknown): Error {
  return queueAway(`queue ${queue} can't be reached now`, { details: { queue }, cause });
}

function addFailure(queue: QueueName, error: unknown): Error {
  if (isCodedError(error)) return error;
  // A payload may hold, where its schema says "unknown", what JSON can't: BigInt, a cycle.
  if (error instanceof TypeError)
    return payloadInvalid('payload is not JSON', { details: { queue, field: 'payload' }, cause: error });
  return queueAway(`queue ${queue} did not take the job`, { details: { queue }, cause: error });
}
