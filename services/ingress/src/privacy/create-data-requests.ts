import { type Database, insertIgnore, type SecretBox } from '@switchyard/database';
import { createPersonFinder, type JobPayload, type PersonIdentifier } from '@switchyard/jobs';
import type { Outbox } from '@switchyard/outbox';
import type { ArchiveStore } from '../archive/create-archive-store.ts';
import type { DataRequestRow, IngressTables } from '../database/tables.ts';
import { dataRequestUnknown } from '../errors.ts';

/** Who provides data, beside what ingress reads from its own archive. */
const owners = ['campaign-sender'];
const AT_ONCE = 100;
/** So many archived webhooks at most are shown; a person writes less in the days that the archive holds. */
const EVENTS_MOST = 5000;

/** A request as it is listed. */
export interface DataRequest extends Pick<DataRequestRow, 'id' | 'merchantId' | 'requestedAtMs'> {
  readonly pendingOwners: string[];
}

/** Everything that is known of a person. */
export interface PersonExport extends DataRequest {
  readonly identifiers: PersonIdentifier[];
  /** By owner. */
  readonly data: Record<string, unknown>;
}

/** Persons' requests for their data, and the exports that answer them. */
export interface DataRequests {
  /** Records a request and asks the owners, once. */
  record(request: JobPayload<'control', 'request-person-data'>): Promise<void>;
  provide(data: JobPayload<'control', 'provide-person-data'>): Promise<void>;
  list(merchantId: string): Promise<DataRequest[]>;
  /** The export so far. @throws CodedError DATA_REQUEST_UNKNOWN */
  export(merchantId: string, id: string): Promise<PersonExport>;
  /** Drops requests and their data. @returns how many. */
  purge(olderThanMs: number): Promise<number>;
}

/** Creates the store. Identifiers and data are sealed. */
export function createDataRequests(settings: {
  database: Database<IngressTables>;
  outbox: Outbox<IngressTables>;
  secretBox: SecretBox;
  archive: Pick<ArchiveStore, 'segments' | 'unpack'>;
}): DataRequests {
  const { database, outbox, secretBox, archive } = settings;
  const { db, dialect } = database;

  const partsOf = (ids: readonly string[]) =>
    ids.length === 0
      ? Promise.resolve([])
      : db.selectFrom('data_request_parts').selectAll().where('requestId', 'in', ids).execute();
  const pendingOf = (parts: readonly { owner: string }[]) =>
    owners.filter((owner) => !parts.some((part) => part.owner === owner));

  async function archivedOf(merchantId: string, identifiers: readonly PersonIdentifier[]) {
    const isNamed = createPersonFinder(identifiers);
    const found: { kind: string; receivedAtMs: number; body: string }[] = [];
    let afterId = '';
    for (;;) {
      const range = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, merchantId, afterId, limit: AT_ONCE };
      const segments = await archive.segments(range);
      for (const segment of segments) {
        afterId = segment.id;
        for (const { kind, receivedAtMs, body } of await archive.unpack(segment)) {
          const text = body.toString('utf8');
          if (isNamed(text)) found.push({ kind, receivedAtMs, body: text });
        }
      }
      if (segments.length < AT_ONCE || found.length >= EVENTS_MOST) return found.slice(0, EVENTS_MOST);
    }
  }

  return {
    async record({ requestId: id, merchantId, identifiers, requestedAtMs }) {
      const sealedIdentifiers = secretBox.seal(JSON.stringify(identifiers), requestContext(id));
      await outbox.transaction(async (trx, enqueue) => {
        const rows = [{ id, merchantId, sealedIdentifiers, requestedAtMs }];
        if ((await insertIgnore(trx, dialect, 'data_requests', rows, ['id'])) === 0) return;
        enqueue({
          queue: 'contacts',
          name: 'export-person',
          payload: { merchantId, requestId: id, identifiers },
          options: { removeOnComplete: true },
          meta: { merchantId, correlationId: id },
        });
      });
    },
    async provide({ requestId, owner, data, completedAtMs }) {
      const sealedData = secretBox.seal(JSON.stringify(data), requestContext(requestId));
      const row = { requestId, owner: owner.slice(0, 64), sealedData, completedAtMs };
      await insertIgnore(db, dialect, 'data_request_parts', [row], ['requestId', 'owner']);
    },
    async list(merchantId) {
      const rows = await db
        .selectFrom('data_requests')
        .select(['id', 'requestedAtMs'])
        .where('merchantId', '=', merchantId)
        .orderBy('requestedAtMs', 'desc')
        .limit(500)
        .execute();
      const byRequest = Map.groupBy(await partsOf(rows.map(({ id }) => id)), ({ requestId }) => requestId);
      return rows.map((row) => ({
        ...row,
        merchantId,
        pendingOwners: pendingOf(byRequest.get(row.id) ?? []),
      }));
    },
    async export(merchantId, id) {
      const row = await db
        .selectFrom('data_requests')
        .selectAll()
        .where('id', '=', id)
        .where('merchantId', '=', merchantId)
        .executeTakeFirst();
      if (!row) throw dataRequestUnknown('there is no such request', { details: { id } });
      const open = (sealed: string) => JSON.parse(secretBox.open(sealed, requestContext(id))) as unknown;
      const identifiers = open(row.sealedIdentifiers) as PersonIdentifier[];
      const parts = await partsOf([id]);
      const data: Record<string, unknown> = {
        ingress: { webhooks: await archivedOf(merchantId, identifiers) },
      };
      for (const { owner, sealedData } of parts) data[owner] = open(sealedData);
      return {
        id,
        merchantId,
        requestedAtMs: row.requestedAtMs,
        pendingOwners: pendingOf(parts),
        identifiers,
        data,
      };
    },
    async purge(olderThanMs) {
      const old = db.selectFrom('data_requests').select('id').where('requestedAtMs', '<', olderThanMs);
      await db.deleteFrom('data_request_parts').where('requestId', 'in', old).execute();
      const { numDeletedRows } = await db
        .deleteFrom('data_requests')
        .where('requestedAtMs', '<', olderThanMs)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

/** What sealed identifiers and data are bound to. */
export function requestContext(requestId: string): string {
  return `ingress.data-requests:${requestId}`;
}
