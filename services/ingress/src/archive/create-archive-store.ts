import type { Database } from '@switchyard/database';
import { createId } from '@switchyard/runtime';
import type { ArchiveSegmentRow, IngressTables } from '../database/tables.ts';
import { type ArchiveEntry, packSegment, unpackSegment } from './segment.ts';

/** The archive in SQL: segments of one merchant's webhooks. */
export interface ArchiveStore {
  /** Stores entries, a segment per merchant, all or none. */
  insert(entries: readonly ArchiveEntry[]): Promise<void>;
  /** The next segments that touch a time range, by id. */
  segments(range: {
    fromMs: number;
    toMs: number;
    merchantId?: string | undefined;
    afterId: string;
    limit: number;
  }): Promise<ArchiveSegmentRow[]>;
  unpack(segment: ArchiveSegmentRow): Promise<ArchiveEntry[]>;
  /** Takes entries out of a segment; what is left stays. @returns how many were taken out. */
  take(segment: ArchiveSegmentRow, isTaken: (entry: ArchiveEntry) => boolean): Promise<number>;
  /** What is there of a merchant. */
  summary(merchantId: string): Promise<{ entries: number; packedBytes: number; oldestMs: number | null }>;
  /** Drops what is older. @returns how many segments. */
  purge(olderThanMs: number): Promise<number>;
  /** Drops all of a merchant. */
  drop(merchantId: string): Promise<void>;
}

const PURGE_AT_ONCE = 200;

/** Creates the store. */
export function createArchiveStore({ database }: { database: Database<IngressTables> }): ArchiveStore {
  const { db } = database;

  async function toRow(entries: readonly ArchiveEntry[]): Promise<ArchiveSegmentRow> {
    const packed = await packSegment(entries);
    const times = entries.map(({ receivedAtMs }) => receivedAtMs);
    return {
      id: createId('seg'),
      merchantId: entries[0]!.merchantId,
      fromMs: Math.min(...times),
      toMs: Math.max(...times),
      entries: entries.length,
      packedBytes: packed.length,
      packed,
    };
  }

  return {
    async insert(entries) {
      const byMerchant = Map.groupBy(entries, ({ merchantId }) => merchantId);
      const rows = await Promise.all([...byMerchant.values()].map(toRow));
      await database.transaction(async (trx) => {
        // One by one: together they could exceed what the database takes in one packet.
        for (const row of rows) await trx.insertInto('archive_segments').values(row).execute();
      });
    },
    segments: ({ fromMs, toMs, merchantId, afterId, limit }) =>
      db
        .selectFrom('archive_segments')
        .selectAll()
        .where('id', '>', afterId)
        .where('toMs', '>=', fromMs)
        .where('fromMs', '<=', toMs)
        .$if(merchantId !== undefined, (query) => query.where('merchantId', '=', merchantId!))
        .orderBy('id')
        .limit(limit)
        .execute(),
    unpack: ({ merchantId, packed }) => unpackSegment(merchantId, packed),
    async take(segment, isTaken) {
      const entries = await unpackSegment(segment.merchantId, segment.packed);
      const left = entries.filter((entry) => !isTaken(entry));
      const taken = entries.length - left.length;
      if (taken === 0) return 0;
      if (left.length === 0) await db.deleteFrom('archive_segments').where('id', '=', segment.id).execute();
      else {
        const { id: _id, ...change } = await toRow(left);
        await db.updateTable('archive_segments').set(change).where('id', '=', segment.id).execute();
      }
      return taken;
    },
    async summary(merchantId) {
      const row = await db
        .selectFrom('archive_segments')
        .select(({ fn }) => [
          fn.sum<number | null>('entries').as('entries'),
          fn.sum<number | null>('packedBytes').as('packedBytes'),
          fn.min<number | null>('fromMs').as('oldestMs'),
        ])
        .where('merchantId', '=', merchantId)
        .executeTakeFirstOrThrow();
      return {
        entries: Number(row.entries ?? 0),
        packedBytes: Number(row.packedBytes ?? 0),
        oldestMs: row.oldestMs === null ? null : Number(row.oldestMs),
      };
    },
    async purge(olderThanMs) {
      let dropped = 0;
      for (;;) {
        // In small steps, so that no one waits long for the table.
        const rows = await db
          .selectFrom('archive_segments')
          .select('id')
          .where('toMs', '<', olderThanMs)
          .limit(PURGE_AT_ONCE)
          .execute();
        if (rows.length === 0) return dropped;
        const ids = rows.map(({ id }) => id);
        await db.deleteFrom('archive_segments').where('id', 'in', ids).execute();
        dropped += ids.length;
      }
    },
    async drop(merchantId) {
      await db.deleteFrom('archive_segments').where('merchantId', '=', merchantId).execute();
    },
  };
}
