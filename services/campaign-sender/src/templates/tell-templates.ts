import type { JobPayload } from '@switchyard/jobs';
import type { Executor, Scope, Store } from '../database/scope.ts';
import { type AccountKey, accountIdOf } from '../senders/account-store.ts';
import { countParameters } from './count-parameters.ts';
import type { DefinedComponent } from './template-facts.ts';

type Told = JobPayload<'flows', 'set-templates'>['templates'][number];

const ACCOUNTS_AT_ONCE = 20;
const LANGUAGE_MOST = 16;

/**
 * Says that flows are to be told of an account's templates: part of the transaction that changes one. Many changes are told as one.
 */
export async function templatesChanged(
  trx: Executor,
  { merchantId, wabaId }: { merchantId: string; wabaId: string | null },
  nowMs: number,
): Promise<void> {
  if (wabaId === null || wabaId === '') return;
  await trx
    .updateTable('whatsapp_accounts')
    .set({ templatesTellAtMs: nowMs })
    .where('id', '=', accountIdOf({ merchantId, wabaId }))
    .where('templatesTellAtMs', 'is', null)
    .execute();
}

/**
 * Tells flows what templates accounts have that have changed. Of an account that was never read whole nothing is told: flows would
 * think that it has no others. Safe at the same time in several processes, and safe to repeat: a later revision takes the place of the
 * one before.
 *
 * @returns how many accounts were told of.
 */
export async function tellTemplates(store: Store): Promise<number> {
  const due = await store.db
    .selectFrom('whatsapp_accounts')
    .select(['id', 'merchantId', 'wabaId', 'syncedAtMs', 'templatesTellAtMs', 'templatesRevision'])
    .where('templatesTellAtMs', '<=', store.now())
    .orderBy('templatesTellAtMs')
    .limit(ACCOUNTS_AT_ONCE)
    .execute();
  let told = 0;
  for (const { id, merchantId, wabaId, syncedAtMs, templatesTellAtMs, templatesRevision } of due) {
    const revision = Math.max(store.now(), templatesRevision + 1);
    told += await store.inScope(async (scope) => {
      const { numUpdatedRows } = await scope.trx
        .updateTable('whatsapp_accounts')
        .set({ templatesTellAtMs: null, templatesRevision: revision })
        .where('id', '=', id)
        .where('templatesTellAtMs', '=', templatesTellAtMs)
        .where('templatesRevision', '=', templatesRevision)
        .executeTakeFirst();
      // Another process was faster. From here on whoever changes a template waits, and has it told again.
      if (Number(numUpdatedRows) === 0 || syncedAtMs === null) return 0;
      await tell(scope, { merchantId, wabaId }, revision);
      return 1;
    });
  }
  return told;
}

async function tell({ trx, enqueue }: Scope, { merchantId, wabaId }: AccountKey, revision: number) {
  const rows = await trx
    .selectFrom('templates')
    .select(['name', 'language', 'status', 'components'])
    .where('merchantId', '=', merchantId)
    .where('wabaId', '=', wabaId)
    .where('status', '!=', 'DELETED')
    .orderBy('name')
    .orderBy('language')
    .execute();
  const templates = rows.flatMap(({ name, language, status, components }): Told[] => {
    if (language.length > LANGUAGE_MOST) return [];
    const known = components === null ? undefined : (JSON.parse(components) as DefinedComponent[]);
    return [{ name, language, status, ...(known ? { parameters: countParameters(known) } : {}) }];
  });
  enqueue({
    queue: 'flows',
    name: 'set-templates',
    payload: { merchantId, wabaId, revision, templates },
    meta: { merchantId },
  });
}
