import type { JobPayload } from '@switchyard/jobs';
import { type Identifier, parsePhone } from '../contacts/address.ts';
import { inPeopleScope, type PeopleScope } from '../contacts/contact-book.ts';
import { meetContacts } from '../contacts/meet-contacts.ts';
import { optInToMarketing, optOutOfMarketing } from '../contacts/opt-out.ts';
import type { Store } from '../database/scope.ts';
import { followAnnounced } from '../inbound/announced-identifiers.ts';
import type { FirstTime } from '../inbound/receive-messages.ts';

type Preferences = JobPayload<'receipts', 'apply-preferences'>;
type Loose = Record<string, unknown>;

/** Follows what people have told the provider: marketing preferences, and changes of user ids. Once per event. */
export async function applyPreferences(
  store: Store,
  firstTime: FirstTime,
  payload: Preferences,
): Promise<void> {
  await inPeopleScope(store, async (scope) => {
    if (!(await firstTime(scope.trx, payload.eventId))) return;
    for (const entry of entriesOf(payload)) {
      if (payload.field === 'user_id_update') await followUserId(scope, store, payload.merchantId, entry);
      else await followPreference(scope, store, payload, entry);
      // The next entry may be about the same person.
      await scope.people.save();
    }
  });
}

/** The value is the list itself, or an object that holds it under the field's name. */
function entriesOf({ field, value }: Preferences): Loose[] {
  const list = Array.isArray(value) ? value : (value as Loose | null)?.[field];
  const entries = Array.isArray(list) ? list : [value];
  return entries.filter((entry): entry is Loose => typeof entry === 'object' && entry !== null);
}

/** Somebody nobody knows yet is remembered too: his wish holds when he is met. */
async function followPreference(
  scope: PeopleScope,
  store: Store,
  { merchantId, occurredAtMs }: Preferences,
  { wa_id, user_id, value, timestamp, detail }: Loose,
): Promise<void> {
  const identifiers = identifiersOf(wa_id, [user_id]);
  const isStop = value === 'stop';
  if (!isStop && value !== 'resume' && value !== 'signup') return;
  const nowMs = store.now();
  const encounter = { merchantId, identifiers, source: 'provider', mayMake: isStop } as const;
  const [contact] = await meetContacts(scope, store.dialect, [encounter], nowMs);
  if (!contact) return;
  await scope.people.save();
  const decidedAtMs = typeof timestamp === 'number' && timestamp > 0 ? timestamp * 1000 : occurredAtMs;
  const source = typeof detail === 'string' && detail !== '' ? detail.slice(0, 200) : 'user_preferences';
  if (isStop)
    await optOutOfMarketing(
      scope,
      store.dialect,
      contact,
      { reason: 'preference', source, decidedAtMs },
      nowMs,
    );
  else
    await optInToMarketing(
      scope,
      store.dialect,
      contact,
      { source: `preference: ${source}`, decidedAtMs },
      nowMs,
    );
}

/** Whoever was known by the old id is known by the new one; if somebody was known by the new one already, the two are one person. */
async function followUserId(
  scope: PeopleScope,
  store: Store,
  merchantId: string,
  entry: Loose,
): Promise<void> {
  const { previous, current } = changeOf(entry.user_id);
  const parent = changeOf(entry.parent_user_id);
  const old = identifiersOf(entry.wa_id, [previous], [parent.previous]);
  const announced = identifiersOf(undefined, [current], [parent.current]);
  if (announced.length === 0) return;
  const nowMs = store.now();
  const encounter = { merchantId, identifiers: old, source: 'provider', mayMake: false } as const;
  const [contact] = await meetContacts(scope, store.dialect, [encounter], nowMs);
  if (contact) await followAnnounced(scope, store.dialect, contact, announced, 'user_id_update', nowMs);
}

function changeOf(value: unknown): { previous?: unknown; current?: unknown } {
  if (typeof value === 'string') return { previous: value, current: value };
  return typeof value === 'object' && value !== null ? value : {};
}

function identifiersOf(phone: unknown, userIds: unknown[], parentIds: unknown[] = []): Identifier[] {
  const number = typeof phone === 'string' ? parsePhone(phone) : undefined;
  const ids = (kind: Identifier['kind'], values: unknown[]) =>
    values.flatMap((value) =>
      typeof value === 'string' && value !== '' && value.length <= 160 ? [{ kind, value }] : [],
    );
  return [
    ...ids('user_id', userIds),
    ...ids('parent_user_id', parentIds),
    ...(number === undefined ? [] : [{ kind: 'phone', value: number } as const]),
  ];
}
