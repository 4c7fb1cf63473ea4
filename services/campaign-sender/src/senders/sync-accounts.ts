import type { SecretBox } from '@switchyard/database';
import type { Logger } from 'pino';
import type { Store } from '../database/scope.ts';
import type { ManagementGraph } from '../graph/manage-graph.ts';
import { readListed, templateListFields } from '../templates/read-listed.ts';
import { dropUnlisted, writeListed } from '../templates/template-store.ts';
import { wakeHeld } from '../templates/wake-held.ts';
import { type AccountKey, accountIdOf, accountTokenContext } from './account-store.ts';
import { basicNumberFields, numberFields, readNumberFacts, writeNumberFacts } from './number-facts.ts';
import { type Listed, readPages } from './read-pages.ts';
import { recordNumber, tokenContext } from './sender-directory.ts';

/** What a reading of an account has brought. */
export interface SyncReport {
  numbers: number;
  templates: number;
  /** Templates that were new, had changed, or are gone. */
  changedTemplates: number;
  /** Why it could not be read to the end. */
  problem: string | null;
}

/** Reads accounts from the provider: their numbers and their templates. */
export interface AccountSync {
  /** Reads an account now. Safe at the same time as another reading of it. */
  sync(account: AccountKey): Promise<SyncReport>;
  /** Reads the accounts that are due. */
  syncDue(signal: AbortSignal): Promise<void>;
}

/** What reading is made of. */
export interface AccountSyncParts {
  store: Store;
  graph: ManagementGraph;
  secretBox: Pick<SecretBox, 'open'>;
  logger: Logger;
  intervalMs: number;
  /** Told when something has changed. */
  onChange(): void;
  /** Told of numbers whose messages are due, since a template was released. */
  onWoken(senderIds: readonly string[]): void;
}

const PAGE_SIZE = '100';
const DUE_MOST = 20;
/** Accounts read at a time, so that one that hangs does not hold up all others. */
const READERS = 4;
/** How long others leave an account alone that somebody began to read: whoever died in between delays it by this. */
const CLAIM_MS = 10 * 60_000;
const FIRST_RETRY_MS = 60_000;
const LAST_RETRY_MS = 3_600_000;
const INVALID_FIELD = 100;

/** Makes the reader of accounts. */
export function createAccountSync(parts: AccountSyncParts): AccountSync {
  const { store, graph, secretBox, logger, intervalMs, onChange, onWoken } = parts;
  const { db, dialect } = store;

  /** The account's token, else that of one of its numbers. */
  async function findToken({ merchantId, wabaId }: AccountKey) {
    const id = accountIdOf({ merchantId, wabaId });
    const account = await db
      .selectFrom('whatsapp_accounts')
      .select('accessToken')
      .where('id', '=', id)
      .executeTakeFirst();
    if (account?.accessToken)
      return { token: secretBox.open(account.accessToken, accountTokenContext(id)), isOwn: true };
    const sender = await db
      .selectFrom('senders')
      .select(['id', 'accessToken'])
      .where('merchantId', '=', merchantId)
      .where('wabaId', '=', wabaId)
      .where('accessToken', 'is not', null)
      .orderBy('isDefault', 'desc')
      .limit(1)
      .executeTakeFirst();
    return sender?.accessToken
      ? { token: secretBox.open(sender.accessToken, tokenContext(sender.id)), isOwn: false }
      : undefined;
  }

  async function readNumbers(account: AccountKey, token: string, isOwn: boolean, report: SyncReport) {
    const onPage = async (items: Record<string, unknown>[]) => {
      for (const item of items) {
        const { id } = item;
        if (typeof id !== 'string') continue;
        report.numbers += 1;
        // An account with a token of its own brings its numbers; else only those that are recorded are meant.
        if (isOwn) await recordNumber(db, { ...account, phoneNumberId: id });
        await writeNumber(account, id, item);
      }
    };
    const path = `${encodeURIComponent(account.wabaId)}/phone_numbers`;
    const read = (fields: string) =>
      readPages(graph.of(account), path, token, { fields, limit: PAGE_SIZE }, onPage);
    const listed = await read(numberFields);
    return listed.ok || listed.code !== INVALID_FIELD ? listed : await read(basicNumberFields);
  }

  async function writeNumber(
    { merchantId, wabaId }: AccountKey,
    phoneNumberId: string,
    item: Record<string, unknown>,
  ) {
    const nowMs = store.now();
    const { numUpdatedRows } = await db
      .updateTable('senders')
      .set({ wabaId, probedAtMs: nowMs, probeProblem: null })
      .where('merchantId', '=', merchantId)
      .where('phoneNumberId', '=', phoneNumberId)
      .executeTakeFirst();
    if (Number(numUpdatedRows) === 0) return;
    const rows = await db
      .selectFrom('senders')
      .select('id')
      .where('merchantId', '=', merchantId)
      .where('phoneNumberId', '=', phoneNumberId)
      .execute();
    await writeNumberFacts(
      db,
      rows.map(({ id }) => id),
      readNumberFacts(item),
      nowMs,
    );
  }

  async function readTemplates(account: AccountKey, token: string, report: SyncReport): Promise<Listed> {
    const listedAtMs = store.now();
    const listed = await readPages(
      graph.of(account),
      `${encodeURIComponent(account.wabaId)}/message_templates`,
      token,
      { fields: templateListFields, limit: PAGE_SIZE },
      async (items) => {
        const templates = items.flatMap((item) => readListed(item) ?? []);
        report.templates += templates.length;
        const woken = await store.inScope(async ({ trx }) => {
          const nowMs = store.now();
          const written = await writeListed(trx, dialect, account, templates, listedAtMs, nowMs);
          return { ...written, senderIds: await wakeHeld(trx, account, written.released, nowMs) };
        });
        report.changedTemplates += woken.changed;
        if (woken.senderIds.length > 0) {
          onChange();
          onWoken(woken.senderIds);
        }
      },
    );
    if (listed.ok)
      report.changedTemplates += await store.inScope(({ trx }) =>
        dropUnlisted(trx, account, listedAtMs, store.now()),
      );
    return listed;
  }

  async function read(account: AccountKey): Promise<SyncReport> {
    const report: SyncReport = { numbers: 0, templates: 0, changedTemplates: 0, problem: null };
    const found = await findToken(account);
    if (!found) return { ...report, problem: 'neither the account nor one of its numbers has a token' };
    const numbers = await readNumbers(account, found.token, found.isOwn, report);
    const templates = await readTemplates(account, found.token, report);
    const failed = [numbers, templates].find((each) => !each.ok);
    return { ...report, problem: failed && !failed.ok ? failed.problem : null };
  }

  return { sync, syncDue };

  async function sync(account: AccountKey): Promise<SyncReport> {
    const id = accountIdOf(account);
    const startedAtMs = store.now();
    const claim = startedAtMs + CLAIM_MS;
    await db.updateTable('whatsapp_accounts').set({ nextSyncAtMs: claim }).where('id', '=', id).execute();
    const report = await read(account).catch((error: unknown): SyncReport => {
      logger.error({ err: error, wabaId: account.wabaId }, 'an account could not be read');
      return { numbers: 0, templates: 0, changedTemplates: 0, problem: 'something went wrong on our side' };
    });
    const nowMs = store.now();
    const { syncFailures, syncedAtMs } = (await db
      .selectFrom('whatsapp_accounts')
      .select(['syncFailures', 'syncedAtMs'])
      .where('id', '=', id)
      .executeTakeFirst()) ?? { syncFailures: 0, syncedAtMs: null };
    const failures = report.problem === null ? 0 : syncFailures + 1;
    await db
      .updateTable('whatsapp_accounts')
      .set({
        syncFailures: failures,
        syncProblem: report.problem,
        updatedAtMs: nowMs,
        ...(report.problem === null ? { syncedAtMs: startedAtMs } : {}),
        // Read whole for the first time: now flows can be told what there is.
        ...(report.problem === null && syncedAtMs === null ? { templatesTellAtMs: nowMs } : {}),
      })
      .where('id', '=', id)
      .execute();
    // Who asked for a reading meanwhile has set it to an earlier time, and gets another.
    await db
      .updateTable('whatsapp_accounts')
      .set({ nextSyncAtMs: nowMs + pauseMs(failures) })
      .where('id', '=', id)
      .where('nextSyncAtMs', '=', claim)
      .execute();
    onChange();
    if (report.problem !== null)
      logger.warn(
        { wabaId: account.wabaId, problem: report.problem },
        'an account could not be read to the end',
      );
    else logger.debug({ wabaId: account.wabaId, ...report }, 'account read');
    return report;
  }

  function pauseMs(failures: number): number {
    // Spread, so that accounts recorded together are not read together for ever.
    if (failures === 0) return intervalMs * (0.9 + Math.random() * 0.2);
    return Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LAST_RETRY_MS, intervalMs);
  }

  async function syncDue(signal: AbortSignal): Promise<void> {
    const due = await db
      .selectFrom('whatsapp_accounts')
      .select(['merchantId', 'wabaId'])
      .where('nextSyncAtMs', '<=', store.now())
      .orderBy('nextSyncAtMs')
      .limit(DUE_MOST)
      .execute();
    const waiting = due.values();
    const reader = async () => {
      for (const account of waiting) {
        if (signal.aborted) return;
        await sync(account);
      }
    };
    await Promise.all(Array.from({ length: READERS }, reader));
  }
}
