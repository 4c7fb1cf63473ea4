import {
  type QueueCounts,
  type QueueName,
  queueNames,
  readOldestWaiting,
  readQueueCounts,
} from '@switchyard/jobs';
import type { RedisClient } from '@switchyard/redis';
import { bounded } from './bounded.ts';
import { judgeQueue, type QueueProblem } from './judge-queue.ts';
import { readThroughput, type Throughput } from './read-throughput.ts';
import { readWorkers } from './read-workers.ts';

/** Everything that is known of a queue at one time. */
export interface QueueFigures {
  counts: QueueCounts;
  /** Undefined where none waits. */
  oldestWaitingMs: number | undefined;
  /** Undefined where Redis does not tell. */
  workers: number | undefined;
  throughput: Throughput;
  problems: QueueProblem[];
}

/** Reads the queues. */
export interface QueueFiguresReader {
  /**
   * Every queue, in the order of the catalog, in five round trips whatever the queues' number and length, at most two of them in a row.
   *
   * @param minutes how far back throughput goes, the minute under way included.
   * @throws when Redis is away, or does not answer in time.
   */
  read(minutes: number): Promise<QueueFigures[]>;
  /** As `read(1)`, but never fails: undefined. Callers share the reading under way: a scrape asks once for each metric. */
  readShared(): Promise<QueueFigures[] | undefined>;
}

/** How long readings together may take. */
const readTimeoutMs = 2000;

/** Makes the reader of the queues' figures. */
export function createQueueFigures(options: {
  connection: RedisClient;
  prefix: string;
  /** The queue role's database. */
  db: number;
  /** How long a queue's oldest job may wait, in ms. */
  waitingLimitOf: (queue: QueueName) => number;
}): QueueFiguresReader {
  const { connection, prefix, db, waitingLimitOf } = options;
  let underWay: Promise<QueueFigures[] | undefined> | undefined;

  async function read(minutes: number): Promise<QueueFigures[]> {
    const [counts, oldest, throughput, workers] = await bounded(
      Promise.all([
        readQueueCounts({ connection, prefix }),
        readOldestWaiting({ connection, prefix }),
        readThroughput({ connection, prefix, minutes }),
        readWorkers({ connection, prefix, db }),
      ]),
      readTimeoutMs,
    );
    return queueNames.map((queue) => {
      const facts = { oldestWaitingMs: oldest[queue], workers: workers?.[queue] };
      const problems = judgeQueue({ ...counts[queue], ...facts }, waitingLimitOf(queue));
      return { counts: counts[queue], ...facts, throughput: throughput[queue], problems };
    });
  }

  return {
    read,
    readShared() {
      underWay ??= read(1)
        .catch(() => undefined)
        .finally(() => {
          underWay = undefined;
        });
      return underWay;
    },
  };
}
