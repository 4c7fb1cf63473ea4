import { setTimeout as pause } from 'node:timers/promises';
import { isCodedError } from '@switchyard/errors';

const INSIST_MS = 15_000;
const INSIST_PAUSE_MS = 250;

/**
 * Tries again while the database is away: the answer to a call is known only here, and without it the message stays parked
 * until its receipt or the grace. Gives up after 15 s.
 */
export async function insist(write: () => Promise<void>): Promise<void> {
  const untilMs = performance.now() + INSIST_MS;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!isCodedError(error) || error.outcome !== 'later' || performance.now() > untilMs) throw error;
      await pause(INSIST_PAUSE_MS);
    }
  }
}
