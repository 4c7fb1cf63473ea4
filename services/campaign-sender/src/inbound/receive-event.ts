import type { JobPayload } from '@switchyard/jobs';
import { inPeopleScope } from '../contacts/contact-book.ts';
import { setFields } from '../contacts/contact-fields.ts';
import { meetContacts } from '../contacts/meet-contacts.ts';
import type { PeopleSettingsStore } from '../conversations/people-settings.ts';
import type { Scope, Store } from '../database/scope.ts';
import { type EventPerson, readCustomPerson, readShopifyPerson } from './event-person.ts';
import type { FirstTime } from './receive-messages.ts';

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

/** What receiving events needs. */
export interface EventParts {
  store: Store;
  firstTime: FirstTime;
  settings: Pick<PeopleSettingsStore, 'of'>;
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
 * Receives an event from outside. Its person is found by any of the identifiers that it names, or becomes a contact where it names
 * a phone number or a user id and the merchant's settings allow that; then the event goes to flows with the contact's snapshot, in
 * the contact's order. Else it is kept, and nothing follows.
 *
 * @returns whether there is a contact; undefined when the event had been received before.
 */
export async function receiveEvent(parts: EventParts, event: OutsideEvent): Promise<boolean | undefined> {
  const { store, firstTime, settings } = parts;
  const { merchantId, eventId, kind, name, body, occurredAtMs, receivedAtMs } = event;
  const { createContactsFromEvents, defaultCountry } = await settings.of(merchantId);
  const person: EventPerson =
    kind === 'shopify'
      ? readShopifyPerson(body, name, defaultCountry)
      : readCustomPerson(body, defaultCountry);
  const { identifiers } = person;
  const isReachable = identifiers.some((each) => each.kind === 'phone' || each.kind === 'user_id');
  return await inPeopleScope(store, async (scope) => {
    if (!(await firstTime(scope.trx, eventId))) return undefined;
    const nowMs = store.now();
    const mayMake = createContactsFromEvents && isReachable;
    const encounter = { merchantId, identifiers, source: kind, mayMake };
    const [contact] = await meetContacts(scope, store.dialect, [encounter], nowMs);
    if (!contact) {
      await scope.trx
        .insertInto('unmatched_events')
        .values({ id: eventId, merchantId, kind, name, body, occurredAtMs, receivedAtMs })
        .execute();
      return false;
    }
    // What the person calls himself on WhatsApp is not overwritten by what an order says.
    setFields(
      contact,
      {
        ...(contact.name === null ? { name: person.name } : {}),
        ...(contact.language === null ? { language: person.language } : {}),
      },
      nowMs,
    );
    scope.people.touch(contact);
    scope.people.emit(
      contact,
      { eventId, kind, name, body, occurredAtMs },
      { windowExpiresAtMs: await latestWindow(scope, contact.id) },
    );
    return true;
  });
}

/** An event of no number may be answered from any: the widest window counts. */
async function latestWindow({ trx }: Scope, contactId: string): Promise<number | undefined> {
  const row = await trx
    .selectFrom('conversations')
    .select((eb) => eb.fn.max('windowExpiresAtMs').as('endsAtMs'))
    .where('contactId', '=', contactId)
    .executeTakeFirst();
  return row?.endsAtMs == null ? undefined : Number(row.endsAtMs);
}
