import { type Database, type DialectName, insertIgnore, type Transaction } from '@switchyard/database';
import type { JobToAdd } from '@switchyard/jobs';
import type { Outbox } from '@switchyard/outbox';
import type { NotifierTables } from '../database/tables.ts';

const MERCHANTS_AT_A_TIME = 100;

/**
 * What the merchant's enabled endpoints want, as the next version of its subscriptions. Goes to ingress, which tells those who
 * publish events.
 */
export async function announceSubscriptions(
  trx: Transaction<NotifierTables>,
  dialect: DialectName,
  merchantId: string,
): Promise<JobToAdd> {
  // The update locks the row, so that two changes at a time get two versions.
  await insertIgnore(trx, dialect, 'subscriptionVersions', [{ merchantId, version: 0 }], ['merchantId']);
  await trx
    .updateTable('subscriptionVersions')
    .set((each) => ({ version: each('version', '+', 1) }))
    .where('merchantId', '=', merchantId)
    .execute();
  const { version } = await trx
    .selectFrom('subscriptionVersions')
    .select('version')
    .where('merchantId', '=', merchantId)
    .executeTakeFirstOrThrow();
  const rows = await trx
    .selectFrom('endpoints')
    .select('eventTypes')
    .where('merchantId', '=', merchantId)
    .where('state', '=', 'enabled')
    .execute();
  const eventTypes = [...new Set(rows.flatMap((row) => JSON.parse(row.eventTypes) as string[]))].sort();
  return { queue: 'control', name: 'set-subscriptions', payload: { merchantId, version, eventTypes } };
}

/**
 * Announces the subscriptions of every merchant that ever had an endpoint, each as a new version: who publishes events publishes
 * only what was announced, and may have lost its tables or missed a change since.
 *
 * @returns how many merchants were announced.
 */
export async function announceAll({
  database,
  outbox,
}: {
  database: Database<NotifierTables>;
  outbox: Pick<Outbox<NotifierTables>, 'transaction'>;
}): Promise<number> {
  let after = '';
  let announced = 0;
  for (;;) {
    const merchants = await database.db
      .selectFrom('endpoints')
      .select('merchantId')
      .where('merchantId', '>', after)
      .union(
        database.db.selectFrom('subscriptionVersions').select('merchantId').where('merchantId', '>', after),
      )
      .orderBy('merchantId')
      .limit(MERCHANTS_AT_A_TIME)
      .execute();
    if (merchants.length === 0) return announced;
    await outbox.transaction(async (trx, enqueue) => {
      for (const { merchantId } of merchants)
        enqueue(await announceSubscriptions(trx, database.dialect, merchantId));
    });
    announced += merchants.length;
    after = merchants.at(-1)!.merchantId;
  }
}
