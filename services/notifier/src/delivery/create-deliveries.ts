import { type Database, insertIgnore } from '@switchyard/database';
import { type JobPayload, matchesEventType } from '@switchyard/jobs';
import type { Outbox } from '@switchyard/outbox';
import { createId } from '@switchyard/runtime';
import type { DeliveriesTable, DeliveryAttemptsTable, NotifierTables } from '../database/tables.ts';
import type { Endpoints } from '../endpoints/create-endpoints.ts';
import { deliveryNotFailed, deliveryUnknown } from '../errors.ts';
import type { AttemptResult } from './create-webhook-client.ts';

type MerchantEvent = JobPayload<'webhooks', 'publish-events'>['events'][number];

/** A pending delivery that nobody has touched for so long has lost its job (an emptied Redis): it is queued again. */
const FORGOTTEN_AFTER_MS = 15 * 60 * 1000;
const RECONCILE_BATCH = 500;

/** What to list of a merchant's deliveries. */
export interface DeliveryFilter {
  endpointId?: string | undefined;
  state?: DeliveriesTable['state'] | undefined;
  /** Ids below this one, newest first. */
  before?: string | undefined;
  limit: number;
}

/** The deliveries and their states: pending → delivered or failed; failed → pending by hand. */
export interface Deliveries {
  /** Records one delivery per event and endpoint that wants it, with its wake-up. Doing it twice records nothing twice. */
  publish(merchantId: string, events: readonly MerchantEvent[]): Promise<number>;
  /** The delivery, if there is still something to do for it. */
  findPending(id: string): Promise<DeliveriesTable | undefined>;
  /** Writes down one attempt and the state that follows from it. */
  recordAttempt(
    delivery: DeliveriesTable,
    result: AttemptResult & { startedAtMs: number },
    next: { state: DeliveriesTable['state']; disableEndpoint?: string },
  ): Promise<void>;
  /** Ends a delivery without an attempt: its endpoint is gone or turned off. */
  giveUp(id: string, reason: string): Promise<void>;
  list(merchantId: string, filter: DeliveryFilter): Promise<DeliveriesTable[]>;
  /** @throws DELIVERY_UNKNOWN */
  get(
    merchantId: string,
    id: string,
  ): Promise<{ delivery: DeliveriesTable; attempts: DeliveryAttemptsTable[] }>;
  /** Tries a failed delivery again, under the same event id. @throws DELIVERY_UNKNOWN, DELIVERY_NOT_FAILED */
  retry(merchantId: string, id: string): Promise<void>;
  /** Queues pending deliveries again whose jobs were lost. @returns how many. */
  reconcile(): Promise<number>;
}

/** Makes the store of deliveries. */
export function createDeliveries(deps: {
  database: Database<NotifierTables>;
  outbox: Outbox<NotifierTables>;
  endpoints: Endpoints;
}): Deliveries {
  const { database, outbox, endpoints } = deps;

  async function find(merchantId: string, id: string): Promise<DeliveriesTable> {
    const row = await database.db
      .selectFrom('deliveries')
      .selectAll()
      .where('id', '=', id)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    if (!row) throw deliveryUnknown('no delivery has this id', { details: { id } });
    return row;
  }

  /** A wake-up under a job id that was never used: jobs of finished ids may still be in Redis. */
  async function wakeUp(row: Pick<DeliveriesTable, 'id' | 'merchantId' | 'turn'>): Promise<boolean> {
    return outbox.transaction(async (trx, enqueue) => {
      const turn = row.turn + 1;
      const { numUpdatedRows } = await trx
        .updateTable('deliveries')
        .set({ state: 'pending', turn, updatedAtMs: Date.now() })
        .where('id', '=', row.id)
        // Two replicas see the same forgotten row; one of them wins.
        .where('turn', '=', row.turn)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return false;
      enqueue({
        queue: 'webhooks',
        name: 'deliver-webhook',
        payload: { merchantId: row.merchantId, deliveryId: row.id, turn },
      });
      return true;
    });
  }

  return {
    async publish(merchantId, events) {
      const wanting = await endpoints.listEnabled(merchantId);
      const rows = wanting.flatMap((endpoint) =>
        events
          .filter((event) => matchesEventType(endpoint.eventTypes, event.type))
          .map((event) => toDelivery(merchantId, endpoint.id, event)),
      );
      if (rows.length === 0) return 0;
      await outbox.transaction(async (trx, enqueue) => {
        await insertIgnore(trx, database.dialect, 'deliveries', rows, ['endpointId', 'eventId']);
        // Of a batch that comes twice, the second finds the first's rows under ids that are not its own.
        const written = await trx
          .selectFrom('deliveries')
          .select('id')
          .where(
            'id',
            'in',
            rows.map((row) => row.id),
          )
          .execute();
        for (const { id } of written) {
          enqueue({
            queue: 'webhooks',
            name: 'deliver-webhook',
            payload: { merchantId, deliveryId: id, turn: 0 },
          });
        }
      });
      return rows.length;
    },
    findPending: (id) =>
      database.db
        .selectFrom('deliveries')
        .selectAll()
        .where('id', '=', id)
        .where('state', '=', 'pending')
        .executeTakeFirst(),
    async recordAttempt(delivery, result, { state, disableEndpoint }) {
      const attempt = delivery.attempts + 1;
      await outbox.transaction(async (trx, enqueue) => {
        await insertIgnore(
          trx,
          database.dialect,
          'deliveryAttempts',
          [
            {
              deliveryId: delivery.id,
              attempt,
              startedAtMs: result.startedAtMs,
              durationMs: result.durationMs,
              status: result.status ?? null,
              error: result.error ?? null,
            },
          ],
          ['deliveryId', 'attempt'],
        );
        await trx
          .updateTable('deliveries')
          .set({
            state,
            attempts: attempt,
            lastStatus: result.status ?? null,
            lastError: result.error ?? null,
            updatedAtMs: Date.now(),
          })
          .where('id', '=', delivery.id)
          // A delivery that arrived in the meantime (a stalled job that lived on) stays delivered.
          .where('state', '=', 'pending')
          .execute();
        if (disableEndpoint !== undefined)
          enqueue(await endpoints.disable(trx, delivery.merchantId, delivery.endpointId, disableEndpoint));
      });
    },
    async giveUp(id, reason) {
      await database.db
        .updateTable('deliveries')
        .set({ state: 'failed', lastError: reason, updatedAtMs: Date.now() })
        .where('id', '=', id)
        .where('state', '=', 'pending')
        .execute();
    },
    list(merchantId, { endpointId, state, before, limit }) {
      let query = database.db.selectFrom('deliveries').selectAll().where('merchantId', '=', merchantId);
      if (endpointId !== undefined) query = query.where('endpointId', '=', endpointId);
      if (state !== undefined) query = query.where('state', '=', state);
      if (before !== undefined) query = query.where('id', '<', before);
      return query.orderBy('id', 'desc').limit(limit).execute();
    },
    async get(merchantId, id) {
      const delivery = await find(merchantId, id);
      const attempts = await database.db
        .selectFrom('deliveryAttempts')
        .selectAll()
        .where('deliveryId', '=', id)
        .orderBy('attempt')
        .execute();
      return { delivery, attempts };
    },
    async retry(merchantId, id) {
      const delivery = await find(merchantId, id);
      if (delivery.state !== 'failed') {
        throw deliveryNotFailed(`the delivery is ${delivery.state}`, { details: { state: delivery.state } });
      }
      await wakeUp(delivery);
    },
    async reconcile() {
      const forgotten = await database.db
        .selectFrom('deliveries')
        .select(['id', 'merchantId', 'turn'])
        .where('state', '=', 'pending')
        .where('updatedAtMs', '<', Date.now() - FORGOTTEN_AFTER_MS)
        .orderBy('updatedAtMs')
        .limit(RECONCILE_BATCH)
        .execute();
      let queued = 0;
      for (const row of forgotten) if (await wakeUp(row)) queued += 1;
      return queued;
    },
  };
}

function toDelivery(merchantId: string, endpointId: string, event: MerchantEvent): DeliveriesTable {
  const now = Date.now();
  return {
    id: createId('dlv'),
    merchantId,
    endpointId,
    eventId: event.id,
    eventType: event.type,
    // Standard Webhooks: type, timestamp (ISO 8601) and data; made once, so that every attempt signs the same bytes.
    body: JSON.stringify({
      type: event.type,
      timestamp: new Date(event.occurredAtMs).toISOString(),
      data: event.data,
    }),
    state: 'pending',
    attempts: 0,
    turn: 0,
    lastStatus: null,
    lastError: null,
    createdAtMs: now,
    updatedAtMs: now,
  };
}
