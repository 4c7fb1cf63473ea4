import { type Database, insertIgnore } from '@switchyard/database';
import type { JobPayload } from '@switchyard/jobs';
import type { Outbox } from '@switchyard/outbox';
import type { EmailsTable, NotifierTables } from '../database/tables.ts';
import { emailNotFailed, emailUnknown } from '../errors.ts';

export type EmailRequest = JobPayload<'emails', 'send-email'>;

/** A pending email that nobody has touched for so long has lost its job (an emptied Redis): it is queued again. */
const FORGOTTEN_AFTER_MS = 15 * 60 * 1000;
const RECONCILE_BATCH = 200;

/** What to list of a merchant's emails. */
export interface EmailFilter {
  state?: EmailsTable['state'] | undefined;
  /** Ids below this one. */
  before?: string | undefined;
  limit: number;
}

/** The emails and their states: pending → sent or failed; failed → pending by hand. */
export interface Emails {
  /** Records a request, once. @returns the email, as long as there is something to do for it. */
  take(request: EmailRequest): Promise<EmailsTable | undefined>;
  /** Writes down one attempt and the state that follows from it. */
  recordAttempt(id: string, next: { state: EmailsTable['state']; error: string | null }): Promise<void>;
  list(merchantId: string, filter: EmailFilter): Promise<EmailsTable[]>;
  /** @throws EMAIL_UNKNOWN */
  get(merchantId: string, id: string): Promise<EmailsTable>;
  /** Tries a failed email again, under the same Message-ID. @throws EMAIL_UNKNOWN, EMAIL_NOT_FAILED */
  retry(merchantId: string, id: string): Promise<void>;
  /** Queues pending emails again whose jobs were lost. @returns how many. */
  reconcile(): Promise<number>;
}

/** Makes the store of emails. */
export function createEmails(deps: {
  database: Database<NotifierTables>;
  outbox: Outbox<NotifierTables>;
}): Emails {
  const { database, outbox } = deps;

  async function get(merchantId: string, id: string): Promise<EmailsTable> {
    const row = await database.db
      .selectFrom('emails')
      .selectAll()
      .where('id', '=', id)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    if (!row) throw emailUnknown('no email has this id', { details: { id } });
    return row;
  }

  /** A wake-up under a job id that was never used: jobs of finished ids may still be in Redis. */
  function wakeUp(row: EmailsTable): Promise<boolean> {
    return outbox.transaction(async (trx, enqueue) => {
      const turn = row.turn + 1;
      const { numUpdatedRows } = await trx
        .updateTable('emails')
        .set({ state: 'pending', turn, updatedAtMs: Date.now() })
        .where('id', '=', row.id)
        // Two replicas see the same forgotten row; one of them wins.
        .where('turn', '=', row.turn)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return false;
      const { merchantId } = row;
      enqueue({
        queue: 'emails',
        name: 'send-email',
        payload: { ...toRequest(row), turn },
        meta: { merchantId },
      });
      return true;
    });
  }

  return {
    get,
    async take(request) {
      const row = toRow(request);
      await insertIgnore(database.db, database.dialect, 'emails', [row], ['id']);
      const known = await database.db
        .selectFrom('emails')
        .selectAll()
        .where('id', '=', row.id)
        // An id is its merchant's own: whoever guesses another's learns and changes nothing.
        .where('merchantId', '=', row.merchantId)
        .executeTakeFirst();
      if (known === undefined || known.state === 'sent') return undefined;
      // The job of a failed email comes again only because somebody wants it tried again.
      if (known.state === 'failed')
        await database.db
          .updateTable('emails')
          .set({ state: 'pending', updatedAtMs: Date.now() })
          .where('id', '=', row.id)
          .where('state', '=', 'failed')
          .execute();
      return { ...known, state: 'pending' };
    },
    async recordAttempt(id, { state, error }) {
      await database.db
        .updateTable('emails')
        .set((eb) => ({ state, attempts: eb('attempts', '+', 1), lastError: error, updatedAtMs: Date.now() }))
        .where('id', '=', id)
        // An email that went out in the meantime (a stalled job that lived on) stays sent.
        .where('state', '=', 'pending')
        .execute();
    },
    list(merchantId, { state, before, limit }) {
      let query = database.db.selectFrom('emails').selectAll().where('merchantId', '=', merchantId);
      if (state !== undefined) query = query.where('state', '=', state);
      if (before !== undefined) query = query.where('id', '<', before);
      return query.orderBy('id', 'desc').limit(limit).execute();
    },
    async retry(merchantId, id) {
      const row = await get(merchantId, id);
      if (row.state !== 'failed')
        throw emailNotFailed(`the email is ${row.state}`, { details: { state: row.state } });
      await wakeUp(row);
    },
    async reconcile() {
      const forgotten = await database.db
        .selectFrom('emails')
        .selectAll()
        .where('state', '=', 'pending')
        .where('updatedAtMs', '<', Date.now() - FORGOTTEN_AFTER_MS)
        .orderBy('updatedAtMs')
        .limit(RECONCILE_BATCH)
        .execute();
      let queued = 0;
      for (const row of forgotten) if (await wakeUp(row)) queued += 1;
      return queued;
    },
  };
}

function toRow(request: EmailRequest): EmailsTable {
  const now = Date.now();
  return {
    id: request.emailId,
    merchantId: request.merchantId,
    addressees: JSON.stringify(request.to),
    subject: request.subject,
    text: request.text ?? null,
    html: request.html ?? null,
    replyTo: request.replyTo ?? null,
    state: 'pending',
    attempts: 0,
    turn: 0,
    lastError: null,
    createdAtMs: now,
    updatedAtMs: now,
  };
}

/** The request as it was. */
export function toRequest(row: EmailsTable): EmailRequest {
  return {
    merchantId: row.merchantId,
    emailId: row.id,
    to: JSON.parse(row.addressees) as string[],
    subject: row.subject,
    ...(row.text === null ? {} : { text: row.text }),
    ...(row.html === null ? {} : { html: row.html }),
    ...(row.replyTo === null ? {} : { replyTo: row.replyTo }),
  };
}
