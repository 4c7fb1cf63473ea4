import { type Database, insertIgnore, type SecretBox } from '@switchyard/database';
import type { JobPayload, JobToAdd, PersonIdentifier } from '@switchyard/jobs';
import type { Outbox } from '@switchyard/outbox';
import type { ErasureAcknowledgementRow, ErasureRow, IngressTables } from '../database/tables.ts';

/** Who has to do what is asked for, beside ingress itself. */
const owners = {
  person: ['ingress', 'campaign-sender', 'flow-engine', 'notifier'],
  shop: ['ingress', 'campaign-sender'],
} as const;

/** An erasure as it is shown: never whom it was about. */
export interface Erasure extends Pick<ErasureRow, 'id' | 'merchantId' | 'kind' | 'requestedAtMs'> {
  readonly acknowledgements: Pick<ErasureAcknowledgementRow, 'owner' | 'erasedRecords' | 'completedAtMs'>[];
  /** Who has not acknowledged yet. */
  readonly pendingOwners: string[];
}

/** The record of erasures: who asked for what, and which owners have done their part. */
export interface Erasures {
  /** Records an erasure and tells the other owners, once. */
  record(erasure: JobPayload<'control', 'erase-person'>): Promise<void>;
  recordShop(erasure: JobPayload<'control', 'erase-shop'>): Promise<void>;
  /** Once all owners have acknowledged, the identifiers are forgotten too. */
  acknowledge(acknowledgement: JobPayload<'control', 'acknowledge-erasure'>): Promise<void>;
  list(merchantId: string): Promise<Erasure[]>;
  /** Recorded before a time, and not yet done by ingress. */
  pending(recordedBeforeMs: number): Promise<(ErasureRow & { identifiers: PersonIdentifier[] })[]>;
}

/** Creates the record. Identifiers are sealed: the record of an erasure must not be where the person can still be found. */
export function createErasures(settings: {
  database: Database<IngressTables>;
  outbox: Outbox<IngressTables>;
  secretBox: SecretBox;
}): Erasures {
  const { database, outbox, secretBox } = settings;
  const { db, dialect } = database;

  const seal = (identifiers: readonly PersonIdentifier[], id: string) =>
    secretBox.seal(JSON.stringify(identifiers), erasureContext(id));

  async function insert(row: Omit<ErasureRow, 'recordedAtMs'>, job: JobToAdd): Promise<void> {
    await outbox.transaction(async (trx, enqueue) => {
      const rows = [{ ...row, recordedAtMs: Date.now() }];
      if ((await insertIgnore(trx, dialect, 'erasures', rows, ['id'])) > 0) enqueue(job);
    });
  }

  async function acknowledgedBy(ids: readonly string[]): Promise<ErasureAcknowledgementRow[]> {
    if (ids.length === 0) return [];
    return db.selectFrom('erasure_acknowledgements').selectAll().where('erasureId', 'in', ids).execute();
  }

  const pendingOwnersOf = (kind: ErasureRow['kind'], done: readonly { owner: string }[]) =>
    owners[kind].filter((owner) => !done.some((each) => each.owner === owner));

  return {
    record({ erasureId: id, merchantId, identifiers, requestedAtMs }) {
      const sealedIdentifiers = seal(identifiers, id);
      return insert(
        { id, merchantId, kind: 'person', shopDomain: null, sealedIdentifiers, requestedAtMs },
        {
          queue: 'contacts',
          name: 'erase-person',
          payload: { merchantId, erasureId: id, identifiers },
          options: { removeOnComplete: true },
          meta: { merchantId, correlationId: id },
        },
      );
    },
    recordShop({ erasureId: id, merchantId, shopDomain, requestedAtMs }) {
      return insert(
        { id, merchantId, kind: 'shop', shopDomain, sealedIdentifiers: seal([], id), requestedAtMs },
        {
          queue: 'contacts',
          name: 'erase-shop',
          payload: { merchantId, erasureId: id, shopDomain },
          meta: { merchantId, correlationId: id },
        },
      );
    },
    async acknowledge({ erasureId, merchantId, owner, erasedRecords, completedAtMs }) {
      const row = { erasureId, merchantId, owner: owner.slice(0, 64), erasedRecords, completedAtMs };
      await insertIgnore(db, dialect, 'erasure_acknowledgements', [row], ['erasureId', 'owner']);
      const erasure = await db
        .selectFrom('erasures')
        .select('kind')
        .where('id', '=', erasureId)
        .executeTakeFirst();
      if (!erasure || pendingOwnersOf(erasure.kind, await acknowledgedBy([erasureId])).length > 0) return;
      await db
        .updateTable('erasures')
        .set({ sealedIdentifiers: seal([], erasureId) })
        .where('id', '=', erasureId)
        .execute();
    },
    async list(merchantId) {
      const rows = await db
        .selectFrom('erasures')
        .selectAll()
        .where('merchantId', '=', merchantId)
        .orderBy('requestedAtMs', 'desc')
        .limit(500)
        .execute();
      const byErasure = Map.groupBy(
        await acknowledgedBy(rows.map(({ id }) => id)),
        ({ erasureId }) => erasureId,
      );
      return rows.map(({ id, kind, requestedAtMs }) => {
        const acknowledgements = byErasure.get(id) ?? [];
        return {
          id,
          merchantId,
          kind,
          requestedAtMs,
          acknowledgements: acknowledgements.map(({ owner, erasedRecords, completedAtMs }) => ({
            owner,
            erasedRecords,
            completedAtMs,
          })),
          pendingOwners: pendingOwnersOf(kind, acknowledgements),
        };
      });
    },
    async pending(recordedBeforeMs) {
      const rows = await db
        .selectFrom('erasures')
        .leftJoin('erasure_acknowledgements as done', (join) =>
          join.onRef('done.erasureId', '=', 'erasures.id').on('done.owner', '=', 'ingress'),
        )
        .selectAll('erasures')
        .where('done.owner', 'is', null)
        .where('erasures.recordedAtMs', '<', recordedBeforeMs)
        .orderBy('erasures.recordedAtMs')
        .limit(100)
        .execute();
      return rows.map((row) => ({
        ...row,
        identifiers: JSON.parse(
          secretBox.open(row.sealedIdentifiers, erasureContext(row.id)),
        ) as PersonIdentifier[],
      }));
    },
  };
}

/** What sealed identifiers are bound to. */
export function erasureContext(erasureId: string): string {
  return `ingress.erasures:${erasureId}`;
}
