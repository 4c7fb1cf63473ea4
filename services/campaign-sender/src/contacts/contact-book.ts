import { upsert } from '@switchyard/database';
import { inheritMeta, type JobMeta, type JobPayload, type JobToAdd } from '@switchyard/jobs';
import type { Insertable } from 'kysely';
import { activeHandler } from '../conversations/handler.ts';
import type { HeldEventsTable } from '../database/people-tables.ts';
import type { Scope, Store } from '../database/scope.ts';
import type { ContactsTable } from '../database/tables.ts';
import { takeSnapshot } from './contact-snapshot.ts';
import { type ContactRow, lockContacts } from './contact-store.ts';

/** An event for flows but for what the contact's row adds to it. */
export type ContactEvent = Omit<
  JobPayload<'flows', 'handle-event'>,
  'merchantId' | 'contact' | 'sequence' | 'acceptedAtMs' | 'handler'
>;

/** How an event goes on. */
export interface EventOptions {
  /** End of the window of the conversation it belongs to. */
  windowExpiresAtMs?: number | undefined;
  /** The file it waits for, and until when. */
  wait?: { mediaId: string; untilMs: number } | undefined;
  /** The ids of the job it came in, where the transaction is several jobs' work. */
  meta?: JobMeta | undefined;
}

/** What `held_events.payload` holds. */
export interface HeldEvent {
  payload: JobPayload<'flows', 'handle-event'>;
  meta: JobMeta | undefined;
}

/**
 * The contacts of one transaction: each is locked before it is changed, changed in memory, and written once at the end, all of them
 * in one statement.
 */
export interface ContactBook {
  /** Locks contacts, following merges. @returns those that exist, by the id asked for. */
  lock(merchantId: string, ids: readonly string[]): Promise<Map<string, ContactRow>>;
  /** Locks contacts of several merchants in one statement. Ids that are gone are left out: no merge is followed. */
  lockAll(ids: readonly string[]): Promise<Map<string, ContactRow>>;
  /** Takes a new contact in. */
  add(contact: ContactRow): void;
  /** Says that a contact's row has changed. */
  touch(contact: ContactRow): void;
  /** Says that a contact has become another one; its row is gone. */
  replace(contact: ContactRow, by: ContactRow): void;
  /** The contact that a row of this book has become, itself in most cases. */
  current(contact: ContactRow): ContactRow;
  /**
   * Gives an event its place in the contact's line. It goes to flows with the transaction, or waits where an earlier one of the same
   * contact does.
   */
  emit(contact: ContactRow, event: ContactEvent, options?: EventOptions): void;
  /** Writes what has changed. */
  save(): Promise<void>;
}

/** A transaction on people. */
export interface PeopleScope extends Scope {
  people: ContactBook;
}

/** How long an event waits for its turn at most, should the one before it never be let go. */
const TURN_MS = 10 * 60_000;

/** Runs work in a transaction with a book of contacts, and writes the book at its end. */
export async function inPeopleScope<T>(store: Store, work: (scope: PeopleScope) => Promise<T>): Promise<T> {
  return await store.inScope(async (scope) => {
    const people = createContactBook(scope, store);
    const result = await work({ ...scope, people });
    await people.save();
    return result;
  });
}

/** Makes the book of a transaction. The caller saves it. */
export function createContactBook(
  { trx, enqueue }: Scope,
  { dialect, now }: Pick<Store, 'dialect' | 'now'>,
): ContactBook {
  const rows = new Map<string, ContactRow>();
  const changed = new Set<string>();
  const replaced = new Map<ContactRow, ContactRow>();
  let held: Insertable<HeldEventsTable>[] = [];

  async function fetch(ids: readonly string[]): Promise<void> {
    const missing = [...new Set(ids)].filter((id) => !rows.has(id));
    for (const row of await lockContacts(trx, dialect, missing)) rows.set(row.id, row);
  }

  function known(ids: readonly string[]): Map<string, ContactRow> {
    return new Map(ids.flatMap((id) => (rows.has(id) ? [[id, rows.get(id)!] as const] : [])));
  }

  return {
    async lock(merchantId, ids) {
      await fetch(ids);
      const gone = ids.filter((id) => !rows.has(id));
      const found = known(ids);
      if (gone.length > 0) {
        const merges = await trx
          .selectFrom('contact_merges')
          .select(['mergedId', 'survivorId'])
          .where('mergedId', 'in', gone)
          .where('merchantId', '=', merchantId)
          .execute();
        await fetch(merges.map(({ survivorId }) => survivorId));
        for (const { mergedId, survivorId } of merges) {
          const row = rows.get(survivorId);
          if (row) found.set(mergedId, row);
        }
      }
      for (const [id, row] of found) if (row.merchantId !== merchantId) found.delete(id);
      return found;
    },
    async lockAll(ids) {
      await fetch(ids);
      return known(ids);
    },
    add(contact) {
      rows.set(contact.id, contact);
      changed.add(contact.id);
    },
    touch(contact) {
      contact.updatedAtMs = now();
      changed.add(contact.id);
    },
    replace(contact, by) {
      rows.delete(contact.id);
      changed.delete(contact.id);
      replaced.set(contact, by);
    },
    current(contact) {
      let row = contact;
      for (let next = replaced.get(row); next; next = replaced.get(row)) row = next;
      return row;
    },
    emit(contact, event, { windowExpiresAtMs, wait, meta } = {}) {
      const acceptedAtMs = now();
      contact.lastSequence += 1;
      const payload: JobPayload<'flows', 'handle-event'> = {
        merchantId: contact.merchantId,
        ...event,
        contact: takeSnapshot(contact, windowExpiresAtMs),
        sequence: contact.lastSequence,
        handler: activeHandler(contact, acceptedAtMs),
        acceptedAtMs,
      };
      const job: JobToAdd = {
        queue: 'flows',
        name: 'handle-event',
        payload,
        meta: { ...meta, merchantId: contact.merchantId },
      };
      if (wait === undefined && contact.heldEvents === 0) enqueue(job);
      else {
        const waiting: HeldEvent = { payload, meta: inheritMeta(job).meta };
        contact.heldEvents += 1;
        held.push({
          contactId: contact.id,
          sequence: contact.lastSequence,
          merchantId: contact.merchantId,
          payload: JSON.stringify(waiting),
          mediaId: wait?.mediaId ?? null,
          waitUntilMs: wait?.untilMs ?? acceptedAtMs + TURN_MS,
        });
      }
      changed.add(contact.id);
    },
    async save() {
      const dirty = [...changed].sort().map((id) => rows.get(id)!);
      const columns = Object.keys(dirty[0] ?? {}) as (keyof ContactsTable & string)[];
      await upsert(
        trx,
        dialect,
        'contacts',
        dirty,
        ['id'],
        columns.filter((column) => !fixed.has(column)),
      );
      changed.clear();
      for (let at = 0; at < held.length; at += ROWS_AT_ONCE)
        await trx
          .insertInto('held_events')
          .values(held.slice(at, at + ROWS_AT_ONCE))
          .execute();
      held = [];
    },
  };
}

const ROWS_AT_ONCE = 500;
const fixed = new Set<string>(['id', 'merchantId']);
