import type { JobPayload } from '@switchyard/jobs';
import { type Identifier, parsePhone } from '../contacts/address.ts';
import { attachIdentifiers, chooseOwner, findOwners, lockContact } from '../contacts/contact-store.ts';
import { optIn, optOutOfMarketing } from '../contacts/opt-out.ts';
import type { Scope, Store } from '../database/scope.ts';
import type { FirstTime } from '../inbound/receive-message.ts';

type Preferences = JobPayload<'receipts', 'apply-preferences'>;
type Loose = Record<string, unknown>;

/** Follows what people have told the provider: marketing preferences, and changes of user ids. Once per event. */
export async function applyPreferences(
  store: Store,
  firstTime: FirstTime,
  payload: Preferences,
): Promise<void> {
  await store.inScope(async (scope) => {
    if (!(await firstTime(scope.trx, payload.eventId))) return;
    for (const entry of entriesOf(payload)) {
      if (payload.field === 'user_id_update') await followUserId(scope, store, payload.merchantId, entry);
      else await followPreference(scope, store, payload.merchantId, entry);
    }
  });
}

/** The value is the list itself, or an object that holds it under the field's name. */
function entriesOf({ field, value }: Preferences): Loose[] {
  const list = Array.isArray(value) ? value : (value as Loose | null)?.[field];
  const entries = Array.isArray(list) ? list : [value];
  return entries.filter((entry): entry is Loose => typeof entry === 'object' && entry !== null);
}

async function followPreference(scope: Scope, store: Store, merchantId: string, entry: Loose): Promise<void> {
  const { wa_id, user_id, value } = entry;
  const identifiers = identifiersOf(wa_id, user_id);
  const contact = await find(scope, store, merchantId, identifiers);
  if (!contact) return;
  const nowMs = store.now();
  const source = 'user_preferences';
  if (value === 'stop')
    await optOutOfMarketing(scope, store.dialect, contact, { reason: 'preference', source }, nowMs);
  else if (value === 'resume' || value === 'signup')
    await optIn(
      scope,
      store.dialect,
      contact,
      { reasons: ['preference', 'provider'], scope: 'marketing', source },
      nowMs,
    );
}

async function followUserId(scope: Scope, store: Store, merchantId: string, entry: Loose): Promise<void> {
  const change = entry.user_id as { previous?: unknown; current?: unknown } | undefined;
  const identifiers = identifiersOf(entry.wa_id, change?.previous);
  const contact = await find(scope, store, merchantId, identifiers);
  if (!contact || typeof change?.current !== 'string') return;
  const current: Identifier = { kind: 'user_id', value: change.current };
  await attachIdentifiers(scope.trx, store.dialect, contact, [current], store.now());
  await scope.trx
    .updateTable('contacts')
    .set({ userId: current.value, updatedAtMs: store.now() })
    .where('id', '=', contact.id)
    .execute();
}

async function find(
  { trx }: Scope,
  { dialect }: Store,
  merchantId: string,
  identifiers: readonly Identifier[],
) {
  const owner = chooseOwner(await findOwners(trx, merchantId, identifiers), identifiers);
  return owner === undefined ? undefined : await lockContact(trx, dialect, merchantId, owner);
}

function identifiersOf(phone: unknown, userId: unknown): Identifier[] {
  const number = typeof phone === 'string' ? parsePhone(phone) : undefined;
  return [
    ...(typeof userId === 'string' ? [{ kind: 'user_id', value: userId } as const] : []),
    ...(number === undefined ? [] : [{ kind: 'phone', value: number } as const]),
  ];
}
