import type { Database, SecretBox } from '@switchyard/database';
import type { Logger } from 'pino';
import type { IngressTables } from '../database/tables.ts';
import { requestContext } from '../privacy/create-data-requests.ts';
import { erasureContext } from '../privacy/create-erasures.ts';
import { secretContext } from './create-directory.ts';

/**
 * Seals again, with the first of `ENCRYPTION_KEYS`, what an older key has sealed; after that the older key may be dropped. Runs at
 * every start, since keys change only with the environment. What can't be opened stays as it is and is logged.
 *
 * @returns how many rows were sealed again.
 */
export async function resealSecrets(settings: {
  database: Database<IngressTables>;
  secretBox: SecretBox;
  logger: Logger;
}): Promise<number> {
  const { database, secretBox, logger } = settings;
  const { db } = database;

  const reseal = (sealed: string, context: string) =>
    secretBox.needsRotation(sealed) ? secretBox.seal(secretBox.open(sealed, context), context) : sealed;
  let count = 0;

  for (const row of await db
    .selectFrom('apps')
    .select(['id', 'sealedSecret', 'sealedPreviousSecret'])
    .execute()) {
    try {
      const context = secretContext(row.id);
      const sealedSecret = reseal(row.sealedSecret, context);
      const sealedPreviousSecret =
        row.sealedPreviousSecret === null ? null : reseal(row.sealedPreviousSecret, context);
      if (sealedSecret === row.sealedSecret && sealedPreviousSecret === row.sealedPreviousSecret) continue;
      // Only what was read: another replica may have rotated the secret meanwhile.
      await db
        .updateTable('apps')
        .set({ sealedSecret, sealedPreviousSecret })
        .where('id', '=', row.id)
        .where('sealedSecret', '=', row.sealedSecret)
        .execute();
      count += 1;
    } catch (error) {
      logger.error({ err: error, appId: row.id }, "an app's secret can't be sealed again");
    }
  }
  for (const { id, sealedIdentifiers } of await db
    .selectFrom('erasures')
    .select(['id', 'sealedIdentifiers'])
    .execute()) {
    try {
      const sealed = reseal(sealedIdentifiers, erasureContext(id));
      if (sealed === sealedIdentifiers) continue;
      await db.updateTable('erasures').set({ sealedIdentifiers: sealed }).where('id', '=', id).execute();
      count += 1;
    } catch (error) {
      logger.error({ err: error, erasureId: id }, "an erasure's identifiers can't be sealed again");
    }
  }
  for (const { id, sealedIdentifiers } of await db
    .selectFrom('data_requests')
    .select(['id', 'sealedIdentifiers'])
    .execute()) {
    try {
      const sealed = reseal(sealedIdentifiers, requestContext(id));
      if (sealed === sealedIdentifiers) continue;
      // Parts first: it is the request that tells whether there is still something to do.
      const parts = await db
        .selectFrom('data_request_parts')
        .selectAll()
        .where('requestId', '=', id)
        .execute();
      for (const { owner, sealedData } of parts)
        await db
          .updateTable('data_request_parts')
          .set({ sealedData: reseal(sealedData, requestContext(id)) })
          .where('requestId', '=', id)
          .where('owner', '=', owner)
          .execute();
      await db.updateTable('data_requests').set({ sealedIdentifiers: sealed }).where('id', '=', id).execute();
      count += 1;
    } catch (error) {
      logger.error({ err: error, requestId: id }, "a data request can't be sealed again");
    }
  }
  if (count > 0) logger.info({ rows: count }, 'secrets sealed again with the current key');
  return count;
}
