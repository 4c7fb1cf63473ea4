import { type Database, type SecretBox, upsert } from '@switchyard/database';
import type { FlowTables } from '../database/tables.ts';
import { secretLimitReached, secretUnknown } from '../errors.ts';

/** A secret as the API shows it: never its value. */
export interface ShownSecret {
  name: string;
  createdAtMs: number;
  updatedAtMs: number;
}

/** Secrets of merchants: keys and tokens that their flows' HTTP requests need. */
export interface SecretStore {
  list(merchantId: string): Promise<ShownSecret[]>;
  /** Sets a secret, for the first time or anew. @throws SECRET_LIMIT_REACHED */
  set(merchantId: string, name: string, value: string): Promise<ShownSecret>;
  /** @throws SECRET_UNKNOWN */
  remove(merchantId: string, name: string): Promise<void>;
  /** The values of these, for a request that is being made. @throws SECRET_UNKNOWN naming the first that is missing. */
  reveal(merchantId: string, names: readonly string[]): Promise<Map<string, string>>;
}

const SECRETS_MOST = 100;
/** What a secret is sealed with: it opens in no other row. */
export const secretValueContext = (merchantId: string, name: string) =>
  `flowSecrets.value:${merchantId}:${name}`;

/** Makes the store of secrets. */
export function createSecretStore(deps: {
  database: Database<FlowTables>;
  secretBox: SecretBox;
}): SecretStore {
  const { database, secretBox } = deps;
  const { db, dialect } = database;
  const unknown = (name: string) => secretUnknown(`there is no secret "${name}"`, { details: { name } });

  return {
    list: (merchantId) =>
      db
        .selectFrom('flowSecrets')
        .select(['name', 'createdAtMs', 'updatedAtMs'])
        .where('merchantId', '=', merchantId)
        .orderBy('name')
        .execute(),
    set: (merchantId, name, value) =>
      database.transaction(async (trx) => {
        const known = await trx
          .selectFrom('flowSecrets')
          .select(['name', 'createdAtMs'])
          .where('merchantId', '=', merchantId)
          .execute();
        const before = known.find((each) => each.name === name);
        if (!before && known.length >= SECRETS_MOST)
          throw secretLimitReached(`a merchant has at most ${SECRETS_MOST} secrets`);
        const now = Date.now();
        const times = { createdAtMs: before?.createdAtMs ?? now, updatedAtMs: now };
        const valueSealed = secretBox.seal(value, secretValueContext(merchantId, name));
        await upsert(
          trx,
          dialect,
          'flowSecrets',
          [{ merchantId, name, valueSealed, ...times }],
          ['merchantId', 'name'],
          ['valueSealed', 'updatedAtMs'],
        );
        return { name, ...times };
      }),
    async remove(merchantId, name) {
      const { numDeletedRows } = await db
        .deleteFrom('flowSecrets')
        .where('merchantId', '=', merchantId)
        .where('name', '=', name)
        .executeTakeFirst();
      if (numDeletedRows === 0n) throw unknown(name);
    },
    async reveal(merchantId, names) {
      if (names.length === 0) return new Map();
      const rows = await db
        .selectFrom('flowSecrets')
        .select(['name', 'valueSealed'])
        .where('merchantId', '=', merchantId)
        .where('name', 'in', names)
        .execute();
      const values = new Map(
        rows.map(({ name, valueSealed }) => [
          name,
          secretBox.open(valueSealed, secretValueContext(merchantId, name)),
        ]),
      );
      const missing = names.find((name) => !values.has(name));
      if (missing !== undefined) throw unknown(missing);
      return values;
    },
  };
}
