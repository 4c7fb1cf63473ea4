import type { Database, Kysely, Transaction } from '@switchyard/database';
import { type JobPayload, toJobId } from '@switchyard/jobs';
import type { ProcessedJobs } from '@switchyard/outbox';
import { type RawBuilder, sql } from 'kysely';
import type { FlowTables, InboxTable } from '../database/tables.ts';

/** What can come for a contact, by kind. */
export interface InboxPayloads {
  event: JobPayload<'flows', 'handle-event'>;
  start: JobPayload<'flows', 'start-run'>;
  timer: JobPayload<'flows', 'resume-run'>;
  handover: JobPayload<'flows', 'set-handover'>;
  /** Of a message that did not go out. */
  outcome: JobPayload<'flows', 'record-message-outcome'>;
}

/** Whose inbox. */
export type ContactKey = Pick<InboxTable, 'merchantId' | 'contactId'>;

/** The name of a contact's lease. */
export function leaseName({ merchantId, contactId }: ContactKey): string {
  return toJobId('contact', merchantId, contactId);
}

/** A contact in one word, as a key of maps. */
export function contactName({ merchantId, contactId }: ContactKey): string {
  return `${merchantId}/${contactId}`;
}

/** The condition that a row is one of these contacts'. */
export function ofContacts(contacts: readonly ContactKey[]): RawBuilder<boolean> {
  const byMerchant = Map.groupBy(contacts, ({ merchantId }) => merchantId);
  const each = [...byMerchant].map(
    ([merchantId, theirs]) =>
      sql`(merchantId = ${merchantId} and contactId in (${sql.join(theirs.map(({ contactId }) => contactId))}))`,
  );
  return sql<boolean>`(${sql.join(each, sql` or `)})`;
}

/** A sweeper looks at an input that nobody has applied for so long: the process that had it may be dead. */
const LOOK_AFTER_MS = 5000;

/** What came for contacts and is not applied yet. */
export interface Inbox {
  /** Keeps an input, the first time that it comes. @returns whether it was the first. */
  put(row: InboxTable): Promise<boolean>;
  /** The ids of inputs that come for the first time; claimed for the transaction. */
  firstOf(trx: Transaction<FlowTables>, rows: readonly InboxTable[]): Promise<Set<string>>;
  /** The next inputs of a contact: timers and starts, then events in their order. */
  next(contact: ContactKey, limit: number): Promise<InboxTable[]>;
  /** Whether there is an input up to this place; without it, any. */
  hasUpTo(executor: Kysely<FlowTables>, contact: ContactKey, sequence?: number): Promise<boolean>;
  /** The lowest place among what these contacts' inboxes hold, by {@link contactName}; absent where nothing is. */
  lowest(executor: Kysely<FlowTables>, contacts: readonly ContactKey[]): Promise<Map<string, number>>;
  /** Nothing of a contact needs to be looked at before this time. */
  putOff(trx: Transaction<FlowTables>, contact: ContactKey, lookAtMs: number): Promise<void>;
  /** Contacts whose inputs lie about. */
  listForgotten(limit: number): Promise<ContactKey[]>;
}

/**
 * An input as a row.
 *
 * @param input.key what makes it one of its kind: asking twice under it is asking once.
 * @param input.sequence place among the contact's events, 0 for what has none.
 */
export function toInboxRow<K extends keyof InboxPayloads>(
  kind: K,
  { merchantId, contactId }: ContactKey,
  { key, sequence, payload }: { key: string; sequence: number; payload: InboxPayloads[K] },
): InboxTable {
  const now = Date.now();
  return {
    id: toJobId(kind, key),
    merchantId,
    contactId,
    sequence,
    kind,
    payload: JSON.stringify(payload),
    insertedAtMs: now,
    lookAtMs: now + LOOK_AFTER_MS,
  };
}

/** Makes the inbox. */
export function createInbox(deps: {
  database: Database<FlowTables>;
  processedJobs: ProcessedJobs<FlowTables>;
}): Inbox {
  const { database, processedJobs } = deps;
  const { db } = database;
  return {
    firstOf: (trx, rows) =>
      processedJobs.firstTimeMany(
        trx,
        rows.map(({ id }) => id),
      ),
    put: (row) =>
      database.transaction(async (trx) => {
        if (!(await processedJobs.firstTime(trx, row.id))) return false;
        await trx.insertInto('inbox').values(row).execute();
        return true;
      }),
    next: ({ merchantId, contactId }, limit) =>
      db
        .selectFrom('inbox')
        .selectAll()
        .where('merchantId', '=', merchantId)
        .where('contactId', '=', contactId)
        .orderBy('sequence')
        .orderBy('insertedAtMs')
        .orderBy('id')
        .limit(limit)
        .execute(),
    async hasUpTo(executor, { merchantId, contactId }, sequence) {
      let query = executor
        .selectFrom('inbox')
        .select('id')
        .where('merchantId', '=', merchantId)
        .where('contactId', '=', contactId);
      if (sequence !== undefined) query = query.where('sequence', '<=', sequence);
      return (await query.limit(1).executeTakeFirst()) !== undefined;
    },
    async lowest(executor, contacts) {
      const rows = await executor
        .selectFrom('inbox')
        .select((eb) => ['merchantId', 'contactId', eb.fn.min('sequence').as('lowest')])
        .where(ofContacts(contacts))
        .groupBy(['merchantId', 'contactId'])
        .execute();
      return new Map(rows.map((row) => [contactName(row), Number(row.lowest)]));
    },
    async putOff(trx, { merchantId, contactId }, lookAtMs) {
      await trx
        .updateTable('inbox')
        .set({ lookAtMs })
        .where('merchantId', '=', merchantId)
        .where('contactId', '=', contactId)
        .where('lookAtMs', '<', lookAtMs)
        .execute();
    },
    async listForgotten(limit) {
      const rows = await db
        .selectFrom('inbox')
        .select(['merchantId', 'contactId'])
        .where('lookAtMs', '<=', Date.now())
        .orderBy('lookAtMs')
        .limit(limit)
        .execute();
      return [...new Map(rows.map((row) => [contactName(row), row])).values()];
    },
  };
}
