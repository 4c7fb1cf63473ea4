import type { JobPayload } from '@switchyard/jobs';
import { type Identifier, parsePhone } from '../contacts/address.ts';
import { takeSnapshot } from '../contacts/contact-snapshot.ts';
import { chooseOwner, findOwners, lockContact } from '../contacts/contact-store.ts';
import type { Store } from '../database/scope.ts';
import type { FirstTime } from './receive-message.ts';

/** A Shopify or custom event, in the same terms. */
export interface OutsideEvent {
  merchantId: string;
  eventId: string;
  kind: 'shopify' | 'custom';
  name: string;
  /** JSON text. It stays text: Shopify's ids are too long for numbers. */
  body: string;
  occurredAtMs: number;
  receivedAtMs: number;
}

/** The `inbound`/receive-shopify-event job as an event. */
export function fromShopify(payload: JobPayload<'inbound', 'receive-shopify-event'>): OutsideEvent {
  const { merchantId, eventId, topic, body, receivedAtMs } = payload;
  const occurredAtMs = payload.triggeredAtMs ?? receivedAtMs;
  return { merchantId, eventId, kind: 'shopify', name: topic, body, occurredAtMs, receivedAtMs };
}

/** The `inbound`/receive-custom-event job as an event. */
export function fromCustom(payload: JobPayload<'inbound', 'receive-custom-event'>): OutsideEvent {
  const { merchantId, eventId, type, body, occurredAtMs, receivedAtMs } = payload;
  return { merchantId, eventId, kind: 'custom', name: type, body, occurredAtMs, receivedAtMs };
}

/**
 * Receives an event from outside. Where its person is known it goes on to flows with the contact's snapshot and sequence number; else
 * it is kept, and nothing follows.
 *
 * @returns whether a contact was found; undefined when the event had been received before.
 */
export async function receiveEvent(
  store: Store,
  firstTime: FirstTime,
  event: OutsideEvent,
): Promise<boolean | undefined> {
  const { merchantId, eventId, kind, name, body, occurredAtMs, receivedAtMs } = event;
  return await store.inScope(async ({ trx, enqueue }) => {
    if (!(await firstTime(trx, eventId))) return undefined;
    const identifiers = identifiersIn(body);
    const owner = chooseOwner(await findOwners(trx, merchantId, identifiers), identifiers);
    const contact =
      owner === undefined ? undefined : await lockContact(trx, store.dialect, merchantId, owner);
    if (!contact) {
      await trx
        .insertInto('unmatched_events')
        .values({ id: eventId, merchantId, kind, name, body, occurredAtMs, receivedAtMs })
        .execute();
      return false;
    }
    const lastSequence = contact.lastSequence + 1;
    await trx
      .updateTable('contacts')
      .set({ lastSequence, updatedAtMs: store.now() })
      .where('id', '=', contact.id)
      .execute();
    enqueue({
      queue: 'flows',
      name: 'handle-event',
      payload: {
        merchantId,
        eventId,
        kind,
        name,
        contact: takeSnapshot(contact, undefined),
        sequence: lastSequence,
        body,
        occurredAtMs,
        acceptedAtMs: store.now(),
      },
      meta: { merchantId },
    });
    return true;
  });
}

type Loose = Record<string, unknown>;

/** Phone numbers and user ids where shops and merchants put them. */
function identifiersIn(body: string): Identifier[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return [];
  }
  const root = objectOf(parsed);
  const customer = objectOf(root.customer);
  const places = [
    root,
    customer,
    objectOf(root.shipping_address),
    objectOf(root.billing_address),
    objectOf(customer.default_address),
    objectOf(root.contact),
  ];
  const found: Identifier[] = [];
  for (const { phone, userId } of places) {
    const number = typeof phone === 'string' ? parsePhone(phone) : undefined;
    if (number !== undefined) found.push({ kind: 'phone', value: number });
    if (typeof userId === 'string' && userId !== '') found.push({ kind: 'user_id', value: userId });
  }
  return found;
}

function objectOf(value: unknown): Loose {
  return typeof value === 'object' && value !== null ? (value as Loose) : {};
}
