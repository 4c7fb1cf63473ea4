import type { Database, Leases } from '@switchyard/database';
import type { Logger } from 'pino';
import type { ArchiveReplayRow, IngressTables } from '../database/tables.ts';
import { replayRangeInvalid, replayUnknown } from '../errors.ts';
import { isRefusal } from '../intake/add-events.ts';
import type { Replay } from '../intake/create-replay.ts';
import type { ArchiveStore } from './create-archive-store.ts';
import { newReplay } from './new-replay.ts';
import type { ArchiveEntry } from './segment.ts';

/** So long consumers remember what they have processed; replaying older events could repeat their effects. */
export const REPLAY_WITHIN_MS = 8 * 24 * 3_600_000;

const LEASE = 'archive-replay';
const LEASE_MS = 60_000;
const SEGMENTS_AT_ONCE = 10;

/** Takes a time range of the archive in again. */
export interface Replays {
  /** @throws CodedError REPLAY_RANGE_INVALID for a range that is empty, or older than 8 days. */
  create(range: {
    fromMs: number;
    toMs: number;
    merchantId?: string | undefined;
    kind?: string | undefined;
  }): Promise<ArchiveReplayRow>;
  list(): Promise<ArchiveReplayRow[]>;
  /** @throws CodedError REPLAY_UNKNOWN */
  get(id: string): Promise<ArchiveReplayRow>;
  /** Works at what is asked for; one replica at a time, from where the last one stopped. */
  run(signal: AbortSignal): Promise<void>;
}

/** Creates the replays. Events go the same way as when they came, but for the look whether ingress has seen them: it has. */
export function createReplays(settings: {
  database: Database<IngressTables>;
  store: Pick<ArchiveStore, 'segments' | 'unpack'>;
  leases: Leases;
  replay: Replay;
  owner: string;
  logger: Logger;
}): Replays {
  const { database, store, leases, replay, owner, logger } = settings;
  const { db } = database;

  async function get(id: string): Promise<ArchiveReplayRow> {
    const row = await db.selectFrom('archive_replays').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row) throw replayUnknown('there is no such replay', { details: { id } });
    return row;
  }

  async function replayEntry(row: ArchiveReplayRow, entry: ArchiveEntry): Promise<void> {
    try {
      const result = await replay({ ...entry, isFromArchive: true }, { correlationId: row.id });
      row.accepted += result.accepted;
      row.unrouted += result.unrouted;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // A source that has moved to another app since, for one.
      row.refused += 1;
      logger.warn({ err: error, replayId: row.id }, 'an archived webhook was refused');
    }
  }

  /** @returns whether there may be more of it, as this replica knows it. */
  async function step(row: ArchiveReplayRow, signal: AbortSignal): Promise<boolean> {
    const { fromMs, toMs, kind } = row;
    const segments = await store.segments({
      fromMs,
      toMs,
      merchantId: row.merchantId ?? undefined,
      afterId: row.afterId,
      limit: SEGMENTS_AT_ONCE,
    });
    for (const segment of segments) {
      if (signal.aborted) return false;
      const entries = await store.unpack(segment);
      for (const entry of entries) {
        if (entry.receivedAtMs < fromMs || entry.receivedAtMs > toMs) continue;
        if (kind === null || entry.kind === kind) await replayEntry(row, entry);
      }
      row.afterId = segment.id;
      if (!(await save(row))) return false;
    }
    if (segments.length === SEGMENTS_AT_ONCE) return true;
    row.finishedAtMs = Date.now();
    if (!(await save(row))) return false;
    const { id, accepted, unrouted, refused } = row;
    logger.info({ replayId: id, accepted, unrouted, refused }, 'a replay from the archive is done');
    return false;
  }

  /** @returns false where it was widened, or set to begin anew, meanwhile: then nothing is saved. */
  async function save({ id, fromMs: _fromMs, toMs: _toMs, ...row }: ArchiveReplayRow): Promise<boolean> {
    const { numUpdatedRows } = await db
      .updateTable('archive_replays')
      .set(row)
      .where('id', '=', id)
      .where('round', '=', row.round)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** Says that it has begun before anything is read, so that who stores entries later knows that they may be missed. */
  async function begin(row: ArchiveReplayRow): Promise<boolean> {
    if (row.startedAtMs !== null) return true;
    row.startedAtMs = Date.now();
    return save(row);
  }

  return {
    async create({ fromMs, toMs, merchantId, kind }) {
      const nowMs = Date.now();
      if (fromMs >= toMs) throw replayRangeInvalid('the range is empty');
      if (fromMs < nowMs - REPLAY_WITHIN_MS)
        throw replayRangeInvalid('consumers remember 8 days: nothing older can be replayed without repeats', {
          details: { earliestMs: nowMs - REPLAY_WITHIN_MS },
        });
      const row = newReplay({
        reason: 'requested',
        merchantId: merchantId ?? null,
        kind: kind ?? null,
        fromMs,
        toMs: Math.min(toMs, nowMs),
        notBeforeMs: 0,
        createdAtMs: nowMs,
      });
      await db.insertInto('archive_replays').values(row).execute();
      return row;
    },
    list: () => db.selectFrom('archive_replays').selectAll().orderBy('id', 'desc').limit(100).execute(),
    get,
    async run(signal) {
      const next = () =>
        db
          .selectFrom('archive_replays')
          .selectAll()
          .where('finishedAtMs', 'is', null)
          .where('notBeforeMs', '<=', Date.now())
          .orderBy('id')
          .limit(1)
          .executeTakeFirst();
      if (!(await next())) return;
      const lease = await leases.acquire(LEASE, { owner, ttlMs: LEASE_MS });
      if (!lease) return;
      try {
        for (let row = await next(); row; row = await next()) {
          let hasMore = await begin(row);
          while (hasMore) {
            if (signal.aborted || !(await leases.renew(lease, LEASE_MS))) return;
            hasMore = await step(row, signal);
          }
          if (signal.aborted) return;
        }
      } finally {
        await leases.release(lease);
      }
    },
  };
}
