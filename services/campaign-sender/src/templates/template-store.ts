import { createHash } from 'node:crypto';
import { insertIgnore } from '@switchyard/database';
import type { Insertable } from 'kysely';
import type { Dialect, Executor } from '../database/scope.ts';
import type { TemplatesTable } from '../database/tables.ts';
import { templatesChanged } from './tell-templates.ts';
import { normalizeLanguage, sendabilityOf } from './template-facts.ts';

/** Which template is meant. An unknown account is the empty one. */
export interface TemplateKey {
  merchantId: string;
  wabaId: string | null;
  name: string;
  language: string;
}

/** A template as the provider lists it. */
export interface ListedTemplate {
  name: string;
  language: string;
  providerTemplateId: string | null;
  status: string;
  statusReason: string | null;
  category: string | null;
  quality: string | null;
  isNamed: boolean;
  /** JSON. */
  components: string;
}

/** The row's id: the same template is the same row, whoever hears of it first. */
export function templateIdOf({ merchantId, wabaId, name, language }: TemplateKey): string {
  const key = `${merchantId}\n${wabaId ?? ''}\n${name}\n${normalizeLanguage(language)}`;
  return `tpl_${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
}

/** Sets what is newer than what is known of a template; one never heard of becomes a row without components. */
export async function noteTemplate(
  trx: Executor,
  dialect: Dialect,
  key: TemplateKey,
  news: {
    status?: string;
    reason?: string | null;
    category?: string;
    quality?: string;
    providerTemplateId?: string;
  },
  atMs: number,
  nowMs: number,
): Promise<void> {
  const id = templateIdOf(key);
  const row: Insertable<TemplatesTable> = {
    id,
    merchantId: key.merchantId,
    wabaId: key.wabaId ?? '',
    name: key.name,
    language: normalizeLanguage(key.language),
    providerTemplateId: news.providerTemplateId ?? null,
    status: news.status ?? 'UNKNOWN',
    statusReason: news.reason ?? null,
    statusAtMs: news.status === undefined ? 0 : atMs,
    category: news.category ?? null,
    quality: news.quality ?? null,
    isNamed: 0,
    components: null,
    syncedAtMs: null,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  await templatesChanged(trx, key, nowMs);
  if ((await insertIgnore(trx, dialect, 'templates', [row], ['id'])) > 0) return;
  const { status, reason, category, quality } = news;
  if (category !== undefined || quality !== undefined)
    await trx
      .updateTable('templates')
      .set({
        updatedAtMs: nowMs,
        ...(category === undefined ? {} : { category }),
        ...(quality === undefined ? {} : { quality }),
      })
      .where('id', '=', id)
      .execute();
  if (status !== undefined)
    await trx
      .updateTable('templates')
      .set({ status, statusReason: reason ?? null, statusAtMs: atMs, updatedAtMs: nowMs })
      .where('id', '=', id)
      .where('statusAtMs', '<=', atMs)
      .execute();
}

/**
 * Writes templates as one page of the provider's list has them. A status that a webhook told after the list was asked for stays.
 *
 * @param listedAtMs when the list was asked for.
 * @returns how many were new or had changed, and the names of those that messages may no longer wait for.
 */
export async function writeListed(
  trx: Executor,
  dialect: Dialect,
  account: { merchantId: string; wabaId: string },
  listed: readonly ListedTemplate[],
  listedAtMs: number,
  nowMs: number,
): Promise<{ changed: number; released: string[] }> {
  const byId = new Map(listed.map((each) => [templateIdOf({ ...account, ...each }), each]));
  if (byId.size === 0) return { changed: 0, released: [] };
  const query = trx
    .selectFrom('templates')
    .selectAll()
    .where('id', 'in', [...byId.keys()]);
  const rows = await (dialect === 'mysql' ? query.forUpdate() : query).execute();
  const known = new Map(rows.map((row) => [row.id, row]));
  const added: Insertable<TemplatesTable>[] = [];
  const released: string[] = [];
  let changed = 0;
  for (const [id, each] of byId) {
    const before = known.get(id);
    const facts = {
      providerTemplateId: each.providerTemplateId,
      category: each.category,
      quality: each.quality,
      isNamed: each.isNamed ? (1 as const) : (0 as const),
      components: each.components,
    };
    const status = { status: each.status, statusReason: each.statusReason, statusAtMs: listedAtMs };
    if (!before) {
      const { merchantId, wabaId } = account;
      added.push({
        ...{ id, merchantId, wabaId, name: each.name, language: normalizeLanguage(each.language) },
        ...{ ...facts, ...status, syncedAtMs: listedAtMs, createdAtMs: nowMs, updatedAtMs: nowMs },
      });
      continue;
    }
    const isNews = before.statusAtMs <= listedAtMs && before.status !== each.status;
    const isSame =
      !isNews &&
      Object.entries(facts).every(([name, value]) => before[name as keyof typeof before] === value);
    if (isSame) continue;
    changed += 1;
    if (isNews && sendabilityOf(before.status) === 'held' && sendabilityOf(each.status) !== 'held')
      released.push(each.name);
    await trx
      .updateTable('templates')
      .set({ ...facts, ...(isNews ? status : {}), updatedAtMs: nowMs })
      .where('id', '=', id)
      .execute();
  }
  if (added.length > 0) await insertIgnore(trx, dialect, 'templates', added, ['id']);
  if (added.length + changed > 0) await templatesChanged(trx, account, nowMs);
  await trx
    .updateTable('templates')
    .set({ syncedAtMs: listedAtMs })
    .where('id', 'in', [...byId.keys()])
    .execute();
  return { changed: added.length + changed, released };
}

/** Marks the account's templates that a whole list did not have as deleted. @returns how many. */
export async function dropUnlisted(
  trx: Executor,
  { merchantId, wabaId }: { merchantId: string; wabaId: string },
  listedAtMs: number,
  nowMs: number,
): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('templates')
    .set({
      status: 'DELETED',
      statusReason: "no longer in the provider's list",
      statusAtMs: listedAtMs,
      updatedAtMs: nowMs,
    })
    .where('merchantId', '=', merchantId)
    .where('wabaId', '=', wabaId)
    .where('statusAtMs', '<=', listedAtMs)
    .where('status', '!=', 'DELETED')
    .where((where) => where.or([where('syncedAtMs', 'is', null), where('syncedAtMs', '<', listedAtMs)]))
    .executeTakeFirst();
  if (Number(numUpdatedRows) > 0) await templatesChanged(trx, { merchantId, wabaId }, nowMs);
  return Number(numUpdatedRows);
}
