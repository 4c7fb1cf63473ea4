import { type Leases, leaseLost } from '@switchyard/database';
import { isCodedError } from '@switchyard/errors';
import type { Logger } from 'pino';
import type { InboxTable } from '../database/tables.ts';
import type { AppliedInput, ApplyInput } from './apply-input.ts';
import { type Drain, leaseName } from './create-drain.ts';
import type { Inbox } from './create-inbox.ts';
import type { ReportApplied } from './report-applied.ts';

/**
 * Takes in an input of a contact. Where nobody else is at work for the contact and it is the input's turn, it is applied in the very
 * transaction that records it; else it goes into the inbox, which whoever holds the lease drains.
 *
 * Twice is harmless, and a second time drains what the first may have left behind.
 */
export type TakeIn = (row: InboxTable, signal: AbortSignal) => Promise<void>;

/** Makes {@link TakeIn}. */
export function createIntake(parts: {
  leases: Leases;
  inbox: Inbox;
  applyInput: ApplyInput;
  drain: Drain;
  report: ReportApplied;
  owner: string;
  leaseMs: number;
  logger: Logger;
}): TakeIn {
  const { leases, inbox, applyInput, drain, report, owner, leaseMs, logger } = parts;

  /** @returns undefined when it has to go through the inbox. */
  async function tryAtOnce(row: InboxTable): Promise<AppliedInput | undefined> {
    const lease = await leases.acquire(leaseName(row), { owner, ttlMs: leaseMs });
    if (!lease) return undefined;
    try {
      return await applyInput.atOnce(lease, row);
    } catch (error) {
      await leases.release(lease).catch(() => false);
      if (isCodedError(error) && error.outcome === 'later' && error.code !== leaseLost.code) throw error;
      // What can't be applied is set aside when it comes up in the inbox.
      logger.debug({ err: error, inboxId: row.id }, 'an input goes through the inbox');
      return undefined;
    }
  }

  return async (row, signal) => {
    const applied = await tryAtOnce(row);
    if (applied) report(applied, row);
    else await inbox.put(row);
    if (!applied || applied.hasMore) await drain(row, signal);
  };
}
