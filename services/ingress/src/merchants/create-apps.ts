import { hash } from 'node:crypto';
import { type Database, type SecretBox, upsert } from '@switchyard/database';
import { createId } from '@switchyard/runtime';
import { keyOf, type SignatureSettings } from '../custom/signature-settings.ts';
import type { AppRow, IngressTables, SourceKind } from '../database/tables.ts';
import { appInUse, appUnknown, managedByEnvironment } from '../errors.ts';
import { type Directory, secretContext } from './create-directory.ts';

/** An app as it is listed, without its secrets. */
export type App = Pick<
  AppRow,
  'id' | 'merchantId' | 'kind' | 'name' | 'managedBy' | 'previousUntilMs' | 'createdAtMs' | 'updatedAtMs'
>;

/** The merchants' apps at the provider. */
export interface Apps {
  create(app: {
    merchantId: string;
    kind: SourceKind;
    name: string;
    secret: string;
    verifyToken?: string | undefined;
    /** For `custom` alone, and needed there. */
    signature?: SignatureSettings | undefined;
  }): Promise<App>;
  list(merchantId: string): Promise<App[]>;
  /** @throws CodedError APP_UNKNOWN, MANAGED_BY_ENVIRONMENT; APP_IN_USE while a source belongs to it */
  remove(merchantId: string, id: string): Promise<void>;
  /** @throws CodedError APP_UNKNOWN */
  get(merchantId: string, id: string): Promise<App>;
  /**
   * Makes a new secret the current one; the old one is accepted beside it for `overlapMs`.
   *
   * @throws CodedError APP_UNKNOWN, MANAGED_BY_ENVIRONMENT
   */
  rotate(merchantId: string, id: string, change: { secret: string; overlapMs: number }): Promise<App>;
  /** Sets the verify token. @throws CodedError APP_UNKNOWN, MANAGED_BY_ENVIRONMENT */
  setVerifyToken(merchantId: string, id: string, verifyToken: string): Promise<App>;
  /** Writes the app that the environment describes: its secrets win over what is stored. */
  ensureFromEnvironment(app: {
    id: string;
    merchantId: string;
    kind: SourceKind;
    name: string;
    secret: string;
    verifyToken: string | undefined;
  }): Promise<void>;
}

const columns = [
  'id',
  'merchantId',
  'kind',
  'name',
  'managedBy',
  'previousUntilMs',
  'createdAtMs',
  'updatedAtMs',
] as const;

/** Creates the store of apps. Secrets are sealed for their app; verify tokens are only compared, so only their hash is kept. */
export function createApps(settings: {
  database: Database<IngressTables>;
  secretBox: SecretBox;
  directory: Pick<Directory, 'forget'>;
}): Apps {
  const { database, secretBox, directory } = settings;
  const { db, dialect } = database;

  const find = (merchantId: string, id: string) =>
    db
      .selectFrom('apps')
      .select(columns)
      .where('id', '=', id)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();

  async function get(merchantId: string, id: string): Promise<App> {
    const app = await find(merchantId, id);
    if (!app) throw appUnknown('there is no such app', { details: { id } });
    return app;
  }

  async function change(
    merchantId: string,
    id: string,
    work: (row: AppRow) => Partial<AppRow>,
  ): Promise<App> {
    await database.transaction(async (trx) => {
      const row = await trx
        .selectFrom('apps')
        .selectAll()
        .where('id', '=', id)
        .where('merchantId', '=', merchantId)
        .$if(dialect === 'mysql', (query) => query.forUpdate())
        .executeTakeFirst();
      if (!row) throw appUnknown('there is no such app', { details: { id } });
      if (row.managedBy === 'environment')
        throw managedByEnvironment('the environment sets this app; change its variables and restart', {
          details: { id },
        });
      await trx
        .updateTable('apps')
        .set({ ...work(row), updatedAtMs: Date.now() })
        .where('id', '=', id)
        .execute();
    });
    directory.forget();
    return get(merchantId, id);
  }

  return {
    async create({ merchantId, kind, name, secret, verifyToken, signature }) {
      if (signature) keyOf(signature, secret);
      const id = createId('app');
      const nowMs = Date.now();
      await db
        .insertInto('apps')
        .values({
          id,
          merchantId,
          kind,
          name,
          sealedSecret: secretBox.seal(secret, secretContext(id)),
          sealedPreviousSecret: null,
          previousUntilMs: null,
          verifyTokenHash: verifyToken === undefined ? null : hashOfVerifyToken(verifyToken),
          signature: signature ? JSON.stringify(signature) : null,
          managedBy: 'api',
          createdAtMs: nowMs,
          updatedAtMs: nowMs,
        })
        .execute();
      directory.forget();
      return get(merchantId, id);
    },
    list: (merchantId) =>
      db.selectFrom('apps').select(columns).where('merchantId', '=', merchantId).orderBy('id').execute(),
    get,
    async remove(merchantId, id) {
      await change(merchantId, id, () => ({}));
      await database.transaction(async (trx) => {
        const used = await trx
          .selectFrom('sources')
          .select('id')
          .where('appId', '=', id)
          .limit(1)
          .executeTakeFirst();
        if (used) throw appInUse('sources belong to the app; remove them first', { details: { id } });
        await trx.deleteFrom('apps').where('id', '=', id).where('merchantId', '=', merchantId).execute();
      });
      directory.forget();
    },
    rotate: (merchantId, id, { secret, overlapMs }) =>
      change(merchantId, id, (row) => {
        if (row.signature !== null) keyOf(JSON.parse(row.signature) as SignatureSettings, secret);
        return {
          sealedSecret: secretBox.seal(secret, secretContext(id)),
          sealedPreviousSecret: overlapMs > 0 ? row.sealedSecret : null,
          previousUntilMs: overlapMs > 0 ? Date.now() + overlapMs : null,
        };
      }),
    setVerifyToken: (merchantId, id, verifyToken) =>
      change(merchantId, id, () => ({ verifyTokenHash: hashOfVerifyToken(verifyToken) })),
    async ensureFromEnvironment({ id, merchantId, kind, name, secret, verifyToken }) {
      const nowMs = Date.now();
      const row: AppRow = {
        id,
        merchantId,
        kind,
        name,
        sealedSecret: secretBox.seal(secret, secretContext(id)),
        sealedPreviousSecret: null,
        previousUntilMs: null,
        verifyTokenHash: verifyToken === undefined ? null : hashOfVerifyToken(verifyToken),
        signature: null,
        managedBy: 'environment',
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
      };
      const { id: _id, createdAtMs: _createdAtMs, ...updated } = row;
      await upsert(db, dialect, 'apps', [row], ['id'], Object.keys(updated) as (keyof typeof updated)[]);
      directory.forget();
    },
  };
}

/** What is kept of a verify token. */
export function hashOfVerifyToken(verifyToken: string): string {
  return hash('sha256', verifyToken, 'hex');
}
