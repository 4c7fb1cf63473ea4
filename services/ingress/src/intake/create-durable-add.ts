import { databaseAway } from '@switchyard/database';
import type { JobToAdd } from '@switchyard/jobs';
import type { Outbox } from '@switchyard/outbox';
import { isRefusal } from './add-events.ts';
import { withinDeadline } from './within-deadline.ts';

const RETRY_AFTER_MS = 5000;

/**
 * Adds jobs as `addEvents` does, but through SQL: for the few that the archive must not hold, and that no provider sends again.
 *
 * @returns the indexes of jobs that the contract refuses.
 * @throws CodedError DATABASE_AWAY (503, later).
 */
export type AddDurably = (jobs: readonly JobToAdd[], timeoutMs: number) => Promise<number[]>;

/** Creates it. */
export function createDurableAdd<DB>(outbox: Pick<Outbox<DB>, 'transaction'>): AddDurably {
  return async (jobs, timeoutMs) => {
    try {
      return await withinDeadline(
        outbox.transaction(async (_trx, enqueue) =>
          jobs.flatMap((job, index) => {
            try {
              enqueue(job);
              return [];
            } catch (error) {
              if (isRefusal(error)) return [index];
              throw error;
            }
          }),
        ),
        timeoutMs,
        () => new Error('not stored in time'),
      );
    } catch (cause) {
      throw databaseAway("the event can't be stored now; try again", { cause, delayMs: RETRY_AFTER_MS });
    }
  };
}
