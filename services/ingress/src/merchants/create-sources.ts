import { randomBytes } from 'node:crypto';
import { type Database, isUniqueViolation, upsert } from '@switchyard/database';
import type { Outbox } from '@switchyard/outbox';
import { createId } from '@switchyard/runtime';
import type { IngressTables, SourceKind, SourceRow } from '../database/tables.ts';
import { managedByEnvironment, sourceTaken, sourceUnknown } from '../errors.ts';
import type { Directory } from './create-directory.ts';

/** What events come from: a number of the Cloud API, or a shop. */
export type Source = SourceRow;

/** The merchants' sources. */
export interface Sources {
  /** @throws CodedError SOURCE_TAKEN for a number that is known, or an account of another merchant. */
  create(source: {
    merchantId: string;
    appId: string;
    kind: SourceKind;
    /** Made up for `custom`, so that nobody can guess it. */
    sourceKey?: string | undefined;
    accountKey?: string | undefined;
    name?: string | undefined;
  }): Promise<Source>;
  list(merchantId: string): Promise<Source[]>;
  /** @throws CodedError SOURCE_UNKNOWN */
  get(merchantId: string, id: string): Promise<Source>;
  /** Whether it takes events. While it does not, they are kept as unrouted. @throws CodedError SOURCE_UNKNOWN */
  setStatus(
    merchantId: string,
    id: string,
    change: { status: Source['status']; reason?: string | undefined },
  ): Promise<Source>;
  /** Stops a source by its key, as `control` asks, and lets flow-engine know. @returns false where the merchant has no such source. */
  stop(stop: { merchantId: string; kind: SourceKind; sourceKey: string; reason: string }): Promise<boolean>;
  /** @throws CodedError SOURCE_UNKNOWN, MANAGED_BY_ENVIRONMENT */
  remove(merchantId: string, id: string): Promise<void>;
  /** Writes the source that the environment describes. A status that was set stays. */
  ensureFromEnvironment(source: {
    merchantId: string;
    appId: string;
    kind: SourceKind;
    sourceKey: string;
    accountKey: string | undefined;
    name: string;
  }): Promise<void>;
  /** Disables what an earlier environment has made and this one does not name. Named again, it is as it was. */
  disableForgotten(named: readonly { kind: string; sourceKey: string }[]): Promise<void>;
}

/** Why a source is disabled that the environment no longer names; told apart from what a person has set. */
const FORGOTTEN = 'the environment no longer names it';

/** Creates the store of sources. */
export function createSources(settings: {
  database: Database<IngressTables>;
  outbox: Pick<Outbox<IngressTables>, 'transaction'>;
  directory: Pick<Directory, 'forget'>;
}): Sources {
  const { database, outbox, directory } = settings;
  const { db, dialect } = database;

  async function get(merchantId: string, id: string): Promise<Source> {
    const source = await db
      .selectFrom('sources')
      .selectAll()
      .where('id', '=', id)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    if (!source) throw sourceUnknown('there is no such source', { details: { id } });
    return source;
  }

  return {
    async create({ merchantId, appId, kind, sourceKey = createSourceKey(), accountKey, name }) {
      const nowMs = Date.now();
      const row: SourceRow = {
        id: createId('src'),
        merchantId,
        appId,
        kind,
        sourceKey,
        accountKey: accountKey ?? null,
        name: name ?? null,
        status: 'active',
        statusReason: null,
        managedBy: 'api',
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
      };
      try {
        await database.transaction(async (trx) => {
          if (accountKey !== undefined) {
            const other = await trx
              .selectFrom('sources')
              .select('id')
              .where('kind', '=', kind)
              .where('accountKey', '=', accountKey)
              .where('merchantId', '!=', merchantId)
              .executeTakeFirst();
            // Updates of an account name no number: with two merchants there would be no telling whose they are.
            if (other)
              throw sourceTaken('the account belongs to another merchant', { details: { accountKey } });
          }
          await trx.insertInto('sources').values(row).execute();
        });
      } catch (error) {
        if (isUniqueViolation(error))
          throw sourceTaken('the number or shop is a source already', { details: { sourceKey } });
        throw error;
      }
      directory.forget();
      return row;
    },
    list: (merchantId) =>
      db
        .selectFrom('sources')
        .selectAll()
        .where('merchantId', '=', merchantId)
        .orderBy('id')
        .limit(10_000)
        .execute(),
    get,
    async setStatus(merchantId, id, { status, reason }) {
      await get(merchantId, id);
      await db
        .updateTable('sources')
        .set({ status, statusReason: reason ?? null, updatedAtMs: Date.now() })
        .where('id', '=', id)
        .where('merchantId', '=', merchantId)
        .execute();
      directory.forget();
      return get(merchantId, id);
    },
    async stop({ merchantId, kind, sourceKey, reason }) {
      const stoppedAtMs = Date.now();
      const isKnown = await outbox.transaction(async (trx, enqueue) => {
        const { numUpdatedRows } = await trx
          .updateTable('sources')
          .set({ status: 'disabled', statusReason: reason, updatedAtMs: stoppedAtMs })
          .where('merchantId', '=', merchantId)
          .where('kind', '=', kind)
          .where('sourceKey', '=', sourceKey)
          .executeTakeFirst();
        if (numUpdatedRows > 0n)
          enqueue({
            queue: 'flows',
            name: 'stop-source',
            payload: { merchantId, sourceKind: kind, sourceKey, reason, stoppedAtMs },
            meta: { merchantId },
          });
        return numUpdatedRows > 0n;
      });
      directory.forget();
      return isKnown;
    },
    async remove(merchantId, id) {
      const source = await get(merchantId, id);
      if (source.managedBy === 'environment')
        throw managedByEnvironment('the environment sets this source; disable it, or change its variables', {
          details: { id },
        });
      await db.deleteFrom('sources').where('id', '=', id).where('merchantId', '=', merchantId).execute();
      directory.forget();
    },
    async ensureFromEnvironment({ merchantId, appId, kind, sourceKey, accountKey, name }) {
      const nowMs = Date.now();
      await upsert(
        db,
        dialect,
        'sources',
        [
          {
            id: createId('src'),
            merchantId,
            appId,
            kind,
            sourceKey,
            accountKey: accountKey ?? null,
            name,
            status: 'active',
            statusReason: null,
            managedBy: 'environment',
            createdAtMs: nowMs,
            updatedAtMs: nowMs,
          },
        ],
        ['kind', 'sourceKey'],
        ['merchantId', 'appId', 'accountKey', 'name', 'managedBy', 'updatedAtMs'],
      );
      await db
        .updateTable('sources')
        .set({ status: 'active', statusReason: null })
        .where('kind', '=', kind)
        .where('sourceKey', '=', sourceKey)
        .where('statusReason', '=', FORGOTTEN)
        .execute();
      directory.forget();
    },
    async disableForgotten(named) {
      const made = await db
        .selectFrom('sources')
        .select(['id', 'kind', 'sourceKey'])
        .where('managedBy', '=', 'environment')
        .where('status', '=', 'active')
        .execute();
      const ids = made
        .filter(
          (row) => !named.some(({ kind, sourceKey }) => row.kind === kind && row.sourceKey === sourceKey),
        )
        .map(({ id }) => id);
      if (ids.length === 0) return;
      await db
        .updateTable('sources')
        .set({ status: 'disabled', statusReason: FORGOTTEN, updatedAtMs: Date.now() })
        .where('id', 'in', ids)
        .execute();
      directory.forget();
    },
  };
}

/** 144 random bits: the path of a source is no secret, but nobody should find others by trying. */
function createSourceKey(): string {
  return `evs_${randomBytes(18).toString('base64url')}`;
}
