import { Job, QueueEvents } from 'bullmq';
import type { QueueName } from './catalog.ts';
import { createErrorLog } from './error-log.ts';
import { jobResultMissing, queuesAlreadyConnected, queuesNotConnected } from './errors.ts';
import type { JobToAdd, RedisClient } from './job-types.ts';
import { createProducer, type Producer, type ProducerOptions } from './producer.ts';
import type { AddJob } from './typed-queue.ts';

/** The connected typed queues. */
export interface QueueConnection {
  /** The producer behind the queues, for whoever adds jobs of many queues. */
  readonly producer: Producer;
  /** Lets go of the queues; the connection it was given stays open. */
  close(): Promise<void>;
}

interface Connected {
  readonly producer: Producer;
  readonly events: (queue: QueueName) => QueueEvents;
}

let connected: Connected | undefined;

/**
 * Connects the typed queues (`messageQueue` and the others) of this process. Once: they are module-wide.
 *
 * @throws QUEUES_ALREADY_CONNECTED until the earlier connection is closed.
 */
export function connectQueues(options: ProducerOptions): QueueConnection {
  if (connected) throw queuesAlreadyConnected('connectQueues was called before; close that connection first');
  const producer = createProducer(options);
  const listening = new Map<QueueName, { events: QueueEvents; client: RedisClient }>();
  const log = createErrorLog(options.logger);
  connected = {
    producer,
    events(queue) {
      const known = listening.get(queue);
      if (known) return known.events;
      const client = patientDuplicate(options.connection);
      const events = new QueueEvents(queue, { connection: client, prefix: options.prefix });
      events.on('error', (error) => log(error, { queue }, 'queue events'));
      listening.set(queue, { events, client });
      return events;
    },
  };
  return {
    producer,
    async close() {
      connected = undefined;
      await Promise.all([
        producer.close(),
        ...[...listening.values()].map(async ({ events, client }) => {
          await events.close();
          client.disconnect();
        }),
      ]);
    },
  };
}

/**
 * BullMQ looks at a job once and then waits for its event, which nobody hears where the job ends between that look and the first XREAD
 * (from `$`), or while the connection is lost: so look again.
 */
const LOOK_AGAIN_MS = 1000;

/** Adds a job by the connected queues. @throws QUEUES_NOT_CONNECTED */
export const addToConnected: AddJob = async (queue, name, payload, { delay, meta, ...options }) => {
  if (!connected) throw queuesNotConnected('call connectQueues() before adding jobs to the typed queues');
  const { producer, events } = connected;
  const { jobId } = await producer.add({
    queue,
    name,
    payload,
    options: delay === undefined ? options : { ...options, delayMs: delay },
    ...(meta === undefined ? {} : { meta }),
  } as JobToAdd);
  return {
    id: jobId,
    name,
    async waitUntilFinished(timeoutMs = 30_000) {
      // Waiting needs no more of a job than its id.
      const job = new Job(producer.queue(queue), name, {}, {}, jobId);
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const leftMs = deadline - performance.now();
        try {
          return await job.waitUntilFinished(
            events(queue),
            Math.max(1, Math.ceil(Math.min(leftMs, LOOK_AGAIN_MS))),
          );
        } catch (cause) {
          const isWaiting = (cause as Error).message.startsWith(`Job wait ${name} timed out`);
          if (isWaiting && leftMs > LOOK_AGAIN_MS) continue;
          throw jobResultMissing(`job ${jobId} of ${queue} has no result`, { cause });
        }
      }
    },
  };
};

/** Listening for events blocks its connection, so it takes one of its own that waits, whatever the profile of the other. */
function patientDuplicate(connection: RedisClient): RedisClient {
  const patient = { lazyConnect: true, enableOfflineQueue: true, maxRetriesPerRequest: null };
  if (!('nodes' in connection)) return connection.duplicate({ ...patient, commandTimeout: undefined });
  const { commandTimeout: _, replyMapping = 'legacy', ...nodes } = connection.options.redisOptions ?? {};
  return connection.duplicate(undefined, { redisOptions: { ...nodes, replyMapping, ...patient } });
}
