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
    if (failsFast && connection.status !== 'ready')
      throw queueAway(`queue ${queue} can't be reached now`, { details: { queue } });
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

  /** A job that is still to run stays: adding it again is harmless. */
  async function makeWay({ queue, queueName, options }: PreparedJob): Promise<void> {
    if (options.jobId === undefined) return;
    try {
      const earlier = await queue.getJob(options.jobId);
      if (earlier?.finishedOn !== undefined) await earlier.remove();
    } catch (error) {
      throw addFailure(queueName, error);
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
      checkConnection(job.queue);
      await makeWay(prepared);
      return put(prepared);
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

function addFailure(queue: QueueName, error: unknown): Error {
  if (isCodedError(error)) return error;
  // A payload may hold, where its schema says "unknown", what JSON can't: BigInt, a cycle.
  if (error instanceof TypeError)
    return payloadInvalid('payload is not JSON', { details: { queue, field: 'payload' }, cause: error });
  return queueAway(`queue ${queue} did not take the job`, { details: { queue }, cause: error });
}
