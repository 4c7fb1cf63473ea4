import type { Database, SecretBox } from '@switchyard/database';
import type { JobToAdd } from '@switchyard/jobs';
import type { Outbox } from '@switchyard/outbox';
import { createId } from '@switchyard/runtime';
import type { Selectable, Transaction } from 'kysely';
import type { EndpointsTable, NotifierTables } from '../database/tables.ts';
import { endpointLimitReached, endpointUnknown } from '../errors.ts';
import { announceSubscriptions } from './announce-subscriptions.ts';
import { createEndpointSecret } from './secret.ts';

/** For so long after a rotation deliveries are signed with the old secret too. */
export const PREVIOUS_SECRET_MS = 24 * 3600 * 1000;

/** Endpoints of one merchant; each event is delivered to each that wants it. */
const MAX_ENDPOINTS = 50;

/** How old the list that events are matched against may be. */
const LIST_MAX_AGE_MS = 2000;

/** An endpoint as the API shows it: without its secret. */
export interface Endpoint {
  id: string;
  merchantId: string;
  url: string;
  description: string;
  eventTypes: string[];
  state: 'enabled' | 'disabled';
  stateReason: string | null;
  createdAtMs: number;
  updatedAtMs: number;
}

/** What a delivery must know of its endpoint. */
export interface EndpointTarget {
  url: string;
  state: 'enabled' | 'disabled';
  /** The current secret first; the previous one while it is valid. */
  secrets: string[];
}

/** What can be set on an endpoint. */
export interface EndpointInput {
  url: string;
  description?: string;
  eventTypes?: string[];
}

/** The merchants' endpoints. */
export interface Endpoints {
  /** @returns the endpoint and its secret, which is not shown again. @throws ENDPOINT_LIMIT_REACHED */
  create(merchantId: string, input: EndpointInput): Promise<{ endpoint: Endpoint; secret: string }>;
  list(merchantId: string): Promise<Endpoint[]>;
  /** The enabled ones, at most two seconds old: what events are matched against. */
  listEnabled(merchantId: string): Promise<Endpoint[]>;
  /** @throws ENDPOINT_UNKNOWN */
  get(merchantId: string, id: string): Promise<Endpoint>;
  /** @throws ENDPOINT_UNKNOWN */
  update(
    merchantId: string,
    id: string,
    change: Partial<EndpointInput> & { state?: Endpoint['state'] },
  ): Promise<Endpoint>;
  /** The old secret stays valid for a day. @throws ENDPOINT_UNKNOWN */
  rotateSecret(merchantId: string, id: string): Promise<{ endpoint: Endpoint; secret: string }>;
  /** @throws ENDPOINT_UNKNOWN */
  remove(merchantId: string, id: string): Promise<void>;
  /** Turns an endpoint off because of what it answered. @returns the job that announces it, for the same transaction. */
  disable(
    trx: Transaction<NotifierTables>,
    merchantId: string,
    id: string,
    reason: string,
  ): Promise<JobToAdd>;
  /** Undefined when it was removed. */
  target(id: string): Promise<EndpointTarget | undefined>;
}

const contextOf = (id: string) => `endpoint:${id}:secret`;

/** Makes the store of endpoints; every change tells ingress, over its queue, which events the merchant wants. */
export function createEndpoints(deps: {
  database: Database<NotifierTables>;
  outbox: Outbox<NotifierTables>;
  secretBox: SecretBox;
}): Endpoints {
  const { database, outbox, secretBox } = deps;
  const lists = new Map<string, { atMs: number; endpoints: Promise<Endpoint[]> }>();

  async function find(merchantId: string, id: string, db = database.db): Promise<Selectable<EndpointsTable>> {
    const row = await db
      .selectFrom('endpoints')
      .selectAll()
      .where('id', '=', id)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    if (!row) throw endpointUnknown('no endpoint has this id', { details: { id } });
    return row;
  }

  /** Makes a change and announces the merchant's subscriptions in the same transaction. */
  async function change<T>(
    merchantId: string,
    work: (trx: Transaction<NotifierTables>) => Promise<T>,
  ): Promise<T> {
    const result = await outbox.transaction(async (trx, enqueue) => {
      const value = await work(trx);
      enqueue(await announceSubscriptions(trx, database.dialect, merchantId));
      return value;
    });
    lists.delete(merchantId);
    return result;
  }

  async function list(merchantId: string): Promise<Endpoint[]> {
    const rows = await database.db
      .selectFrom('endpoints')
      .selectAll()
      .where('merchantId', '=', merchantId)
      .orderBy('id')
      .execute();
    return rows.map(toEndpoint);
  }

  async function listEnabled(merchantId: string): Promise<Endpoint[]> {
    const known = lists.get(merchantId);
    if (known && Date.now() - known.atMs < LIST_MAX_AGE_MS) return known.endpoints;
    const endpoints = list(merchantId).then((all) => all.filter(({ state }) => state === 'enabled'));
    lists.set(merchantId, { atMs: Date.now(), endpoints });
    // Merchants without traffic must not stay in memory, nor a failed look-up.
    if (lists.size > 10_000) lists.clear();
    endpoints.catch(() => lists.delete(merchantId));
    return endpoints;
  }

  return {
    async create(merchantId, input) {
      const id = createId('end');
      const secret = createEndpointSecret();
      const now = Date.now();
      const row: EndpointsTable = {
        id,
        merchantId,
        url: input.url,
        description: input.description ?? '',
        eventTypes: JSON.stringify(input.eventTypes ?? ['*']),
        state: 'enabled',
        stateReason: null,
        secretSealed: secretBox.seal(secret, contextOf(id)),
        previousSecretSealed: null,
        previousSecretExpiresAtMs: null,
        createdAtMs: now,
        updatedAtMs: now,
      };
      await change(merchantId, async (trx) => {
        const { count } = await trx
          .selectFrom('endpoints')
          .select((each) => each.fn.countAll<number>().as('count'))
          .where('merchantId', '=', merchantId)
          .executeTakeFirstOrThrow();
        if (Number(count) >= MAX_ENDPOINTS) {
          throw endpointLimitReached(`a merchant has at most ${MAX_ENDPOINTS} endpoints`);
        }
        await trx.insertInto('endpoints').values(row).execute();
      });
      return { endpoint: toEndpoint(row), secret };
    },
    list,
    listEnabled,
    get: async (merchantId, id) => toEndpoint(await find(merchantId, id)),
    async update(merchantId, id, { url, description, eventTypes, state }) {
      await change(merchantId, async (trx) => {
        await find(merchantId, id, trx);
        await trx
          .updateTable('endpoints')
          .set({
            updatedAtMs: Date.now(),
            ...(url === undefined ? {} : { url }),
            ...(description === undefined ? {} : { description }),
            ...(eventTypes === undefined ? {} : { eventTypes: JSON.stringify(eventTypes) }),
            ...(state === undefined
              ? {}
              : { state, stateReason: state === 'disabled' ? 'turned off by the merchant' : null }),
          })
          .where('id', '=', id)
          .execute();
      });
      return toEndpoint(await find(merchantId, id));
    },
    async rotateSecret(merchantId, id) {
      const secret = createEndpointSecret();
      const endpoint = await database.transaction(async (trx) => {
        const row = await find(merchantId, id, trx);
        const now = Date.now();
        await trx
          .updateTable('endpoints')
          .set({
            secretSealed: secretBox.seal(secret, contextOf(id)),
            previousSecretSealed: row.secretSealed,
            previousSecretExpiresAtMs: now + PREVIOUS_SECRET_MS,
            updatedAtMs: now,
          })
          .where('id', '=', id)
          .execute();
        return toEndpoint({ ...row, updatedAtMs: now });
      });
      return { endpoint, secret };
    },
    async remove(merchantId, id) {
      await change(merchantId, async (trx) => {
        await find(merchantId, id, trx);
        await trx.deleteFrom('endpoints').where('id', '=', id).execute();
      });
    },
    async disable(trx, merchantId, id, reason) {
      await trx
        .updateTable('endpoints')
        .set({ state: 'disabled', stateReason: reason, updatedAtMs: Date.now() })
        .where('id', '=', id)
        .execute();
      lists.clear();
      return await announceSubscriptions(trx, database.dialect, merchantId);
    },
    async target(id) {
      const row = await database.db
        .selectFrom('endpoints')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst();
      if (!row) return undefined;
      const secrets = [secretBox.open(row.secretSealed, contextOf(id))];
      if (row.previousSecretSealed !== null && (row.previousSecretExpiresAtMs ?? 0) > Date.now()) {
        secrets.push(secretBox.open(row.previousSecretSealed, contextOf(id)));
      }
      return { url: row.url, state: row.state, secrets };
    },
  };
}

function toEndpoint(row: EndpointsTable): Endpoint {
  const { id, merchantId, url, description, state, stateReason, createdAtMs, updatedAtMs } = row;
  const eventTypes = JSON.parse(row.eventTypes) as string[];
  return { id, merchantId, url, description, eventTypes, state, stateReason, createdAtMs, updatedAtMs };
}
