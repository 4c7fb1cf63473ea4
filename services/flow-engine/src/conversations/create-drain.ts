import { type Database, type Lease, type Leases, leaseLost } from '@switchyard/database';
import { isCodedError } from '@switchyard/errors';
import type { FailedJobsSink } from '@switchyard/jobs';
import type { Logger } from 'pino';
import type { FlowTables, InboxTable } from '../database/tables.ts';
import type { AppliedInput } from './applied-input.ts';
import type { ApplyInput } from './apply-input.ts';
import { type ContactKey, contactName, type Inbox, leaseName } from './create-inbox.ts';
import type { ReportApplied } from './report-applied.ts';
import { setAside } from './set-aside.ts';

/** Inputs read at once. */
const BATCH_SIZE = 50;

/** What {@link createDrain} needs. */
export interface DrainParts {
  database: Database<FlowTables>;
  leases: Leases;
  inbox: Inbox;
  applyInput: ApplyInput;
  failedJobs: FailedJobsSink;
  /** Names this process. */
  owner: string;
  leaseMs: number;
  logger: Logger;
  report: ReportApplied;
}

/**
 * Applies what waits in a contact's inbox, in order, if no other process is doing so: whoever holds the contact's lease also applies
 * what arrives meanwhile, since it looks once more in the transaction that lets go.
 */
export type Drain = (contact: ContactKey, signal?: AbortSignal) => Promise<void>;

/** Makes {@link Drain}. */
export function createDrain(parts: DrainParts): Drain {
  const { database, leases, inbox, applyInput, owner, leaseMs, logger, report } = parts;

  /** @returns whether there is more to do, which then needs the lease again. */
  async function drainHeld(
    contact: ContactKey,
    lease: Lease,
    movedTo: Map<string, ContactKey>,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    let renewedAt = performance.now();
    for (;;) {
      const rows = await inbox.next(contact, BATCH_SIZE);
      if (rows.length === 0)
        return database.transaction(async (trx) => {
          if (!(await leases.release(lease, trx))) return false;
          return inbox.hasUpTo(trx, contact);
        });
      for (const [index, row] of rows.entries()) {
        if (signal?.aborted) {
          // A sweeper, of whatever process, goes on with the rest.
          await leases.release(lease);
          return false;
        }
        if (performance.now() - renewedAt > leaseMs / 3) {
          if (!(await leases.renew(lease, leaseMs))) return false;
          renewedAt = performance.now();
        }
        const isLast = index === rows.length - 1 && rows.length < BATCH_SIZE;
        const applied = await applyOrSetAside(lease, row, isLast);
        if (applied?.movedTo) movedTo.set(contactName(applied.movedTo), applied.movedTo);
        if (applied?.isReleased) return applied.hasMore;
      }
    }
  }

  async function applyOrSetAside(
    lease: Lease,
    row: InboxTable,
    isLast: boolean,
  ): Promise<AppliedInput | undefined> {
    let applied: AppliedInput;
    try {
      applied = await applyInput.fromInbox(lease, row, { isLast });
    } catch (error) {
      if (isCodedError(error) && error.outcome === 'later') throw error;
      // Whatever it is, it must not hold up everything that this person says from now on.
      logger.error(
        { err: error, inboxId: row.id, contactId: row.contactId },
        'an input could not be applied',
      );
      await setAside(parts, lease, row, error as Error);
      return undefined;
    }
    report(applied, row);
    return applied;
  }

  /** @param movedTo takes the contacts that inputs were passed on to. */
  async function drainOne(
    contact: ContactKey,
    movedTo: Map<string, ContactKey>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const name = leaseName(contact);
    for (;;) {
      const lease = await leases.acquire(name, { owner, ttlMs: leaseMs });
      if (!lease) return;
      try {
        if (!(await drainHeld(contact, lease, movedTo, signal))) return;
      } catch (error) {
        // What is left must not wait until the lease has run out.
        await leases.release(lease).catch(() => false);
        if (isCodedError(error) && error.code === leaseLost.code) return;
        throw error;
      }
    }
  }

  return async (contact, signal) => {
    const contacts = new Map([[contactName(contact), contact]]);
    // A map grows while it is walked: a contact that was merged leads on to the one that it has become.
    for (const each of contacts.values()) await drainOne(each, contacts, signal);
  };
}
