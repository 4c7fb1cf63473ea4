import type { Database, SecretBox } from '@switchyard/database';
import type { Logger } from 'pino';
import { keyContext } from '../ai/provider-store.ts';
import type { FlowTables } from '../database/tables.ts';
import { secretValueContext } from '../secrets/secret-store.ts';
import { secretContext } from '../shopify/shop-store.ts';

const shopSecrets = [
  ['accessTokenSealed', 'accessToken'],
  ['refreshTokenSealed', 'refreshToken'],
  ['clientSecretSealed', 'clientSecret'],
] as const;

/**
 * Seals again, with the first of `ENCRYPTION_KEYS`, what an older key has sealed; after that the older key may be dropped. Runs at
 * every start, since keys change only with the environment. What can't be opened stays as it is and is logged.
 *
 * @returns how many secrets were sealed again.
 */
export async function resealSecrets(deps: {
  database: Database<FlowTables>;
  secretBox: SecretBox;
  logger: Logger;
}): Promise<number> {
  const { secretBox, logger } = deps;
  const { db } = deps.database;
  let count = 0;

  function reseal(id: string, sealed: string | null, context: string): string | undefined {
    if (sealed === null || !secretBox.needsRotation(sealed)) return undefined;
    try {
      return secretBox.seal(secretBox.open(sealed, context), context);
    } catch (error) {
      logger.error({ err: error, id }, "a credential can't be sealed again");
      return undefined;
    }
  }

  for (const { id, apiKeySealed } of await db
    .selectFrom('aiProviders')
    .select(['id', 'apiKeySealed'])
    .execute()) {
    const sealed = reseal(id, apiKeySealed, keyContext(id));
    if (sealed === undefined) continue;
    // Only what was read: another replica may have set a new key meanwhile.
    await db
      .updateTable('aiProviders')
      .set({ apiKeySealed: sealed })
      .where('id', '=', id)
      .where('apiKeySealed', '=', apiKeySealed)
      .execute();
    count += 1;
  }
  const shops = await db
    .selectFrom('shops')
    .select(['id', 'accessTokenSealed', 'refreshTokenSealed', 'clientSecretSealed'])
    .execute();
  for (const shop of shops)
    for (const [column, name] of shopSecrets) {
      const sealed = reseal(shop.id, shop[column], secretContext(shop.id, name));
      if (sealed === undefined) continue;
      await db
        .updateTable('shops')
        .set({ [column]: sealed })
        .where('id', '=', shop.id)
        .where(column, '=', shop[column])
        .execute();
      count += 1;
    }
  const secrets = await db.selectFrom('flowSecrets').select(['merchantId', 'name', 'valueSealed']).execute();
  for (const { merchantId, name, valueSealed } of secrets) {
    const sealed = reseal(`${merchantId}/${name}`, valueSealed, secretValueContext(merchantId, name));
    if (sealed === undefined) continue;
    await db
      .updateTable('flowSecrets')
      .set({ valueSealed: sealed })
      .where('merchantId', '=', merchantId)
      .where('name', '=', name)
      .where('valueSealed', '=', valueSealed)
      .execute();
    count += 1;
  }
  if (count > 0) logger.info({ secrets: count }, 'secrets sealed again with the current key');
  return count;
}
