import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Database } from '@switchyard/database';
import { createId } from '@switchyard/runtime';
import type { ApiKeyRow, IngressTables } from '../database/tables.ts';
import { apiKeyInvalid, apiKeyUnknown } from '../errors.ts';

/** A key as it is listed: enough to tell it from others, not enough to use it. */
export interface ApiKey
  extends Pick<ApiKeyRow, 'id' | 'merchantId' | 'name' | 'hint' | 'createdAtMs' | 'revokedAtMs'> {
  readonly scopes: readonly string[];
}

/** Whom a key speaks for. */
export interface KeyHolder {
  readonly subject: string;
  readonly merchantId: string;
  readonly scopes: readonly string[];
}

/** The merchants' API keys. */
export interface ApiKeys {
  /** @returns the key itself, here and never again: only its hash is kept. */
  create(key: {
    merchantId: string;
    name: string;
    scopes: readonly string[];
  }): Promise<{ apiKey: ApiKey; key: string }>;
  list(merchantId: string): Promise<ApiKey[]>;
  /** From now on the key is exchanged for nothing; tokens made before end by themselves within minutes. @throws CodedError API_KEY_UNKNOWN */
  revoke(merchantId: string, id: string): Promise<void>;
  /** @throws CodedError API_KEY_INVALID for a key that is unknown or revoked. */
  holderOf(key: string): Promise<KeyHolder>;
}

/** Creates the store of keys. */
export function createApiKeys(settings: {
  database: Pick<Database<IngressTables>, 'db'>;
  /** The key that the environment gives to the default merchant, with every scope. */
  environmentKey: { key: string; holder: KeyHolder } | undefined;
}): ApiKeys {
  const { db } = settings.database;
  const { environmentKey } = settings;
  const environmentHash = environmentKey && hashOf(environmentKey.key);

  return {
    async create({ merchantId, name, scopes }) {
      const key = `sk_${randomBytes(32).toString('base64url')}`;
      const row: ApiKeyRow = {
        id: createId('key'),
        merchantId,
        name,
        keyHash: hashOf(key),
        hint: key.slice(0, 8),
        scopes: JSON.stringify(scopes),
        createdAtMs: Date.now(),
        revokedAtMs: null,
      };
      await db.insertInto('api_keys').values(row).execute();
      return { apiKey: toApiKey(row), key };
    },
    async list(merchantId) {
      const rows = await db
        .selectFrom('api_keys')
        .selectAll()
        .where('merchantId', '=', merchantId)
        .orderBy('id')
        .limit(1000)
        .execute();
      return rows.map(toApiKey);
    },
    async revoke(merchantId, id) {
      const row = await db
        .selectFrom('api_keys')
        .select(['id', 'revokedAtMs'])
        .where('id', '=', id)
        .where('merchantId', '=', merchantId)
        .executeTakeFirst();
      if (!row) throw apiKeyUnknown('there is no such API key', { details: { id } });
      if (row.revokedAtMs !== null) return;
      await db
        .updateTable('api_keys')
        .set({ revokedAtMs: Date.now() })
        .where('id', '=', id)
        .where('revokedAtMs', 'is', null)
        .execute();
    },
    async holderOf(key) {
      const keyHash = hashOf(key);
      if (environmentKey && environmentHash && areEqual(keyHash, environmentHash))
        return environmentKey.holder;
      const row = await db
        .selectFrom('api_keys')
        .selectAll()
        .where('keyHash', '=', keyHash)
        .where('revokedAtMs', 'is', null)
        .executeTakeFirst();
      if (!row) throw apiKeyInvalid('the API key is not valid');
      return { subject: row.id, merchantId: row.merchantId, scopes: JSON.parse(row.scopes) as string[] };
    },
  };
}

function toApiKey({ id, merchantId, name, hint, scopes, createdAtMs, revokedAtMs }: ApiKeyRow): ApiKey {
  return { id, merchantId, name, hint, scopes: JSON.parse(scopes) as string[], createdAtMs, revokedAtMs };
}

function hashOf(key: string): string {
  return hash('sha256', key, 'hex');
}

function areEqual(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
