import type { InboxTable } from '../database/tables.ts';
import type { Drain } from './create-drain.ts';
import type { Inbox } from './create-inbox.ts';
import type { GatherInput } from './gather-inputs.ts';
import type { ReportApplied } from './report-applied.ts';

/**
 * Takes in an input of a contact. Where nobody else is at work for the contact and it is the input's turn, it is applied in the very
 * transaction that records it; else it goes into the inbox, which whoever holds the lease drains.
 *
 * Twice is harmless, and a second time drains what the first may have left behind.
 */
export type TakeIn = (
  row: InboxTable,
  signal: AbortSignal,
  options?: {
    /** Nobody waits for it: what others wait for goes first. */
    isBackground?: boolean;
  },
) => Promise<void>;

/** Makes {@link TakeIn}. */
export function createIntake(parts: {
  inbox: Inbox;
  gather: GatherInput;
  drain: Drain;
  report: ReportApplied;
}): TakeIn {
  const { inbox, gather, drain, report } = parts;
  return async (row, signal, { isBackground = false } = {}) => {
    const applied = await gather(row, isBackground);
    if (applied) report(applied, row);
    else await inbox.put(row);
    if (!applied || applied.hasMore) await drain(applied?.movedTo ?? row, signal);
  };
}
