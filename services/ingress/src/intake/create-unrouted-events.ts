import { hash } from 'node:crypto';
import { type Database, databaseAway, insertIgnore } from '@switchyard/database';
import type { IngressTables, UnroutedEventRow } from '../database/tables.ts';
import { eventId } from './event-id.ts';
import { withinDeadline } from './within-deadline.ts';

/** An event to keep. */
export interface EventToKeep {
  readonly kind: string;
  readonly reason: string;
  readonly appId: string;
  readonly merchantId?: string;
  readonly sourceKey?: string;
  readonly field?: string;
  /** What the provider says beside the body. */
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text, or the raw bytes of what is none. */
  readonly body: string | Buffer;
}

/** A kept event without its body. */
export type UnroutedSummary = Omit<UnroutedEventRow, 'body' | 'headers'>;

/** Which of the kept events are meant. */
export interface WaitingFilter {
  readonly kind?: string | undefined;
  readonly reason?: string | undefined;
  readonly sourceKey?: string | undefined;
  readonly merchantId?: string | undefined;
}

/** What verified but could not be routed or read: kept whole, listed, replayed. */
export interface UnroutedEvents {
  /** @throws CodedError DATABASE_AWAY: nothing may be acknowledged that was not kept. */
  keep(events: readonly EventToKeep[], timeoutMs: number): Promise<void>;
  list(filter: {
    reason?: string | undefined;
    replayed?: boolean | undefined;
    before?: string | undefined;
    limit: number;
  }): Promise<UnroutedSummary[]>;
  find(id: string): Promise<UnroutedEventRow | undefined>;
  /** What was not replayed yet, whole, the oldest first. */
  waiting(filter: WaitingFilter & { after?: string | undefined; limit: number }): Promise<UnroutedEventRow[]>;
  /** How many came in a time range, end excluded, and were not replayed, by kind and reason. */
  count(fromMs: number, toMs: number): Promise<{ kind: string; reason: string; events: number }[]>;
  markReplayed(id: string): Promise<void>;
  /** Drops what is older. @returns how many. */
  purge(olderThanMs: number): Promise<number>;
}

const summaryColumns = [
  'id',
  'kind',
  'reason',
  'appId',
  'merchantId',
  'sourceKey',
  'field',
  'bodyEncoding',
  'bodyBytes',
  'receivedAtMs',
  'replayedAtMs',
] as const;

/** Creates the store. The same event kept twice is one row: its id is the hash of what it holds. */
export function createUnroutedEvents(settings: {
  database: Pick<Database<IngressTables>, 'db' | 'dialect'>;
}): UnroutedEvents {
  const { db, dialect } = settings.database;

  async function insert(events: readonly EventToKeep[]): Promise<void> {
    const rows = events.map((event) => toRow(event, Date.now()));
    await insertIgnore(db, dialect, 'unrouted_events', rows, ['id']);
  }

  return {
    async keep(events, timeoutMs) {
      if (events.length === 0) return;
      try {
        await withinDeadline(insert(events), timeoutMs, () => new Error('not stored in time'));
      } catch (cause) {
        throw databaseAway("the event can't be kept now; try again", { cause, delayMs: 5000 });
      }
    },
    async list({ reason, replayed, before, limit }) {
      let query = db.selectFrom('unrouted_events').select(summaryColumns);
      if (reason !== undefined) query = query.where('reason', '=', reason);
      if (replayed !== undefined) query = query.where('replayedAtMs', replayed ? 'is not' : 'is', null);
      if (before !== undefined) {
        const [time, id] = readCursor(before);
        query = query.where((eb) =>
          eb.or([eb('receivedAtMs', '<', time), eb.and([eb('receivedAtMs', '=', time), eb('id', '<', id)])]),
        );
      }
      return query.orderBy('receivedAtMs', 'desc').orderBy('id', 'desc').limit(limit).execute();
    },
    find: (id) => db.selectFrom('unrouted_events').selectAll().where('id', '=', id).executeTakeFirst(),
    async waiting({ after, limit, ...filter }) {
      let query = db.selectFrom('unrouted_events').selectAll().where('replayedAtMs', 'is', null);
      for (const column of ['kind', 'reason', 'sourceKey', 'merchantId'] as const) {
        const value = filter[column];
        if (value !== undefined) query = query.where(column, '=', value);
      }
      if (after !== undefined) {
        const [time, id] = readCursor(after);
        query = query.where((eb) =>
          eb.or([eb('receivedAtMs', '>', time), eb.and([eb('receivedAtMs', '=', time), eb('id', '>', id)])]),
        );
      }
      return query.orderBy('receivedAtMs').orderBy('id').limit(limit).execute();
    },
    async count(fromMs, toMs) {
      const rows = await db
        .selectFrom('unrouted_events')
        .select(({ fn }) => ['kind', 'reason', fn.countAll<number>().as('events')])
        .where('receivedAtMs', '>=', fromMs)
        .where('receivedAtMs', '<', toMs)
        .where('replayedAtMs', 'is', null)
        .groupBy(['kind', 'reason'])
        .execute();
      return rows.map(({ kind, reason, events }) => ({ kind, reason, events: Number(events) }));
    },
    async markReplayed(id) {
      await db
        .updateTable('unrouted_events')
        .set({ replayedAtMs: Date.now() })
        .where('id', '=', id)
        .execute();
    },
    async purge(olderThanMs) {
      const { numDeletedRows } = await db
        .deleteFrom('unrouted_events')
        .where('receivedAtMs', '<', olderThanMs)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

/** Where a page ends. */
export function cursorOf({ receivedAtMs, id }: Pick<UnroutedEventRow, 'receivedAtMs' | 'id'>): string {
  return `${receivedAtMs}.${id}`;
}

function readCursor(cursor: string): [time: number, id: string] {
  const [time, id = ''] = cursor.split('.');
  return [Number(time), id];
}

function toRow(event: EventToKeep, receivedAtMs: number): UnroutedEventRow {
  const { kind, reason, appId, merchantId, sourceKey, field } = event;
  const bytes = typeof event.body === 'string' ? Buffer.from(event.body, 'utf8') : event.body;
  const isText = typeof event.body === 'string';
  return {
    id: eventId(kind, appId, 'unrouted', hash('sha256', bytes, 'base64url'), ...keyOf(event)),
    kind,
    reason,
    appId,
    merchantId: merchantId ?? null,
    sourceKey: sourceKey ?? null,
    // A field is the provider's word and as long as it likes; the body has it whole.
    field: field?.slice(0, 64) ?? null,
    body: isText ? (event.body as string) : bytes.toString('base64'),
    bodyEncoding: isText ? 'utf8' : 'base64',
    bodyBytes: bytes.length,
    headers: event.headers ? JSON.stringify(event.headers) : null,
    receivedAtMs,
    replayedAtMs: null,
  };
}

/** Two events may have the same body; their headers then tell them apart. */
function keyOf({ headers }: EventToKeep): string[] {
  return headers ? [hash('sha256', JSON.stringify(headers), 'base64url')] : [];
}
