import { type Database, insertIgnore, type Kysely } from '@switchyard/database';
import type { KnownTemplate, KnownTemplates } from '@switchyard/flows';
import type { JobPayload } from '@switchyard/jobs';
import type { FlowTables } from '../database/tables.ts';

/**
 * Keeps the templates of an account, unless a later list is kept already. Twice is harmless.
 *
 * @returns whether they were news.
 */
export async function saveTemplateSet(
  { db, dialect }: Database<FlowTables>,
  { merchantId, wabaId, revision, templates }: JobPayload<'flows', 'set-templates'>,
): Promise<boolean> {
  const change = { revision, templates: JSON.stringify(templates), updatedAtMs: Date.now() };
  const inserted = await insertIgnore(
    db,
    dialect,
    'templateSets',
    [{ merchantId, wabaId, ...change }],
    ['merchantId', 'wabaId'],
  );
  if (inserted > 0) return true;
  const { numUpdatedRows } = await db
    .updateTable('templateSets')
    .set(change)
    .where('merchantId', '=', merchantId)
    .where('wabaId', '=', wabaId)
    .where('revision', '<', revision)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/**
 * The templates that a merchant's accounts have, of these names.
 *
 * @returns undefined where nothing is known of any account: then nothing can be said.
 */
export async function knownTemplates(
  executor: Kysely<FlowTables>,
  merchantId: string,
  names: readonly string[],
): Promise<KnownTemplates | undefined> {
  if (names.length === 0) return undefined;
  const sets = await executor
    .selectFrom('templateSets')
    .select('templates')
    .where('merchantId', '=', merchantId)
    .execute();
  if (sets.length === 0) return undefined;
  const wanted = new Set(names);
  const found = new Map<string, KnownTemplate[]>();
  for (const { templates } of sets)
    for (const { name, ...template } of JSON.parse(templates) as (KnownTemplate & { name: string })[])
      if (wanted.has(name)) found.set(name, [...(found.get(name) ?? []), template]);
  for (const each of found.values()) each.sort((a, b) => rankOf(a) - rankOf(b));
  return found;
}

const WAITING = ['PENDING', 'IN_APPEAL', 'PAUSED', 'LOCKED', 'LIMIT_EXCEEDED'];
const LOST = ['REJECTED', 'DISABLED', 'DELETED', 'ARCHIVED', 'PENDING_DELETION'];

/** Of several accounts, the one counts in which a template can be sent best. */
function rankOf({ status }: KnownTemplate): number {
  return LOST.includes(status) ? 2 : WAITING.includes(status) ? 1 : 0;
}
