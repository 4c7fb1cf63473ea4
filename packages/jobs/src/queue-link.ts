import type { RedisClient } from './job-types.ts';
import { within } from './within.ts';

/** A proof that takes longer is none. */
const proofMs = 2000;

/**
 * What is known of the connection to the queue's Redis. A Redis that has died, or was replaced, may have forgotten what it acknowledged
 * last: whoever must know that a job is safe asks whether the connection has held since before the add.
 */
export interface QueueLink {
  /** How often a connection was lost. The same number before an add and later: one server has lived, and kept it, all the time. */
  breaks(): number;
  /**
   * Asks the server that has the queues for an answer: a machine without power does not close its connections.
   *
   * @throws when there is none within 2 s.
   */
  prove(): Promise<void>;
}

/** Watches a client of any mode until `close()`, which leaves it open. */
export function watchLink(connection: RedisClient, prefix: string): QueueLink & { close(): void } {
  let breaks = 0;
  const onBreak = () => {
    breaks += 1;
  };
  // A cluster's client tells of a single node that is gone by "-node"; a client of one server, also by way of Sentinel, by "close".
  const events = ['close', 'end', '-node'] as const;
  for (const event of events) connection.on(event, onBreak);
  return {
    breaks: () => breaks,
    async prove() {
      // By a key, not PING: on a cluster the answer must be of the node that has the queues, which share the prefix's slot.
      const answered = connection.exists(`${prefix}:link`).then(() => {});
      if (!(await within(answered, proofMs))) throw new Error(`no answer within ${proofMs} ms`);
    },
    close() {
      for (const event of events) connection.off(event, onBreak);
    },
  };
}
