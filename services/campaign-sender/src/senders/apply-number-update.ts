import { createId } from '@switchyard/runtime';
import type { Scope, Store } from '../database/scope.ts';
import { requestSync } from './account-store.ts';
import { defined, findByDisplayNumber, type NumberFacts, writeNumberFacts } from './number-facts.ts';
import { pauseSenders, resumeSenders } from './pause-senders.ts';

type Loose = Record<string, unknown>;

/** A webhook change about an account or its numbers. */
export interface NumberUpdate {
  merchantId: string;
  wabaId: string | null;
  phoneNumberId: string | null;
  field: string;
  value: Loose;
}

/** Events of an account after which none of its numbers may send. */
const stoppingEvents: readonly string[] = [
  'ACCOUNT_DELETED',
  'ACCOUNT_OFFBOARDED',
  'PARTNER_REMOVED',
  'DISABLED_UPDATE',
];
/** Pause codes that such events have given, and that their opposite takes back. */
const banCodes: readonly string[] = ['DISABLED_UPDATE', 'ACCOUNT_RESTRICTION'];

/**
 * Follows a webhook about an account or a number: quality, tier, throughput and name are noted, a stopped account's numbers are paused,
 * a reinstated one's resumed; alerts are told to the operators. Whatever changed, the account is read again soon. Safe to repeat.
 */
export async function applyNumberUpdate(scope: Scope, store: Store, update: NumberUpdate): Promise<void> {
  const { merchantId, wabaId, field } = update;
  if (wabaId !== null) await requestSync(scope.trx, store.dialect, { merchantId, wabaId }, store.now());
  await handlers[field]?.(scope, store, update);
}

/** Fields of the webhook that tell of accounts and numbers. */
export function isNumberField(field: string): boolean {
  return Object.hasOwn(handlers, field);
}

const handlers: Readonly<
  Record<string, (scope: Scope, store: Store, update: NumberUpdate) => Promise<void>>
> = {
  async phone_number_quality_update(scope, store, update) {
    const { value } = update;
    const event = word(value.event);
    await noteFacts(scope, store, update, {
      messagingLimitTier: word(value.max_daily_conversations_per_business) ?? word(value.current_limit),
      throughputLevel: event === 'THROUGHPUT_UPGRADE' ? 'HIGH' : undefined,
      qualityRating: event === 'FLAGGED' ? 'RED' : event === 'UNFLAGGED' ? 'GREEN' : undefined,
    });
    if (event === 'FLAGGED')
      await alert(scope, store, update, 'warning', 'A number has bad quality', 'FLAGGED');
  },
  async phone_number_name_update(scope, store, update) {
    const { value } = update;
    const decision = word(value.decision);
    await noteFacts(scope, store, update, {
      nameStatus: decision,
      verifiedName: decision === 'APPROVED' ? word(value.requested_verified_name) : undefined,
    });
  },
  async business_capability_update(scope, store, update) {
    const { value } = update;
    const limit = value.max_daily_conversations_per_business ?? value.max_daily_conversation_per_phone;
    await noteFacts(scope, store, update, { messagingLimitTier: tierOf(limit) });
  },
  account_update: followAccount,
  async account_review_update(scope, store, update) {
    const decision = word(update.value.decision);
    if (decision !== 'REJECTED') return;
    await alert(scope, store, update, 'critical', 'An account was not approved', decision);
  },
  async account_alerts(scope, store, update) {
    const info = (update.value.alert_info ?? update.value) as Loose;
    const severity = word(info.alert_severity) === 'CRITICAL' ? 'critical' : 'warning';
    const text = word(info.alert_description) ?? word(info.alert_type) ?? 'no description';
    await alert(scope, store, update, severity, 'The provider warns about an account', text);
  },
  async security(scope, store, update) {
    const event = word(update.value.event) ?? 'unknown event';
    await alert(scope, store, update, 'warning', "A number's security settings have changed", event);
  },
};

async function followAccount(scope: Scope, store: Store, update: NumberUpdate): Promise<void> {
  const { merchantId, wabaId, value } = update;
  const event = word(value.event) ?? '';
  if (wabaId === null) return;
  const ban = word((value.ban_info as Loose | undefined)?.waba_ban_state);
  if (event === 'DISABLED_UPDATE' && ban === 'REINSTATE') {
    await resumeSenders(scope, merchantId, { wabaId }, banCodes, store.now());
    return;
  }
  if (event === 'DISABLED_UPDATE' && ban === 'SCHEDULE_FOR_DISABLE') {
    await alert(scope, store, update, 'critical', 'An account will be disabled', ban);
    return;
  }
  const isStopped =
    stoppingEvents.includes(event) || (event === 'ACCOUNT_RESTRICTION' && stopsMessages(value));
  if (isStopped)
    await pauseSenders(
      scope,
      merchantId,
      { wabaId },
      { code: event, reason: 'the provider has stopped the account' },
      store.now(),
    );
  else if (event === 'ACCOUNT_RESTRICTION' || event === 'ACCOUNT_VIOLATION')
    await alert(scope, store, update, 'warning', 'An account is restricted', describeRestriction(value));
}

/** Some restrictions only forbid to add numbers. One that doesn't say what it restricts is taken for the worst. */
function stopsMessages({ restriction_info: info }: Loose): boolean {
  if (!Array.isArray(info) || info.length === 0) return true;
  return info.some((each) => String((each as Loose).restriction_type).endsWith('_MESSAGING'));
}

function describeRestriction({ restriction_info: info, violation_info: violation }: Loose): string {
  const types = Array.isArray(info) ? info.map((each) => String((each as Loose).restriction_type)) : [];
  const violated = word((violation as Loose | undefined)?.violation_type);
  return [...types, ...(violated === undefined ? [] : [violated])].join(', ') || 'no details';
}

async function noteFacts(
  { trx }: Scope,
  store: Store,
  { merchantId, wabaId, phoneNumberId, value }: NumberUpdate,
  facts: { [K in keyof NumberFacts]?: NumberFacts[K] | undefined },
): Promise<void> {
  const display = word(value.display_phone_number);
  let ids: string[];
  if (display !== undefined) ids = await findByDisplayNumber(trx, merchantId, display);
  else {
    let query = trx.selectFrom('senders').select('id').where('merchantId', '=', merchantId);
    if (phoneNumberId !== null) query = query.where('phoneNumberId', '=', phoneNumberId);
    else if (wabaId !== null) query = query.where('wabaId', '=', wabaId);
    else return;
    ids = (await query.execute()).map(({ id }) => id);
  }
  await writeNumberFacts(trx, ids, defined(facts) as NumberFacts, store.now());
}

async function alert(
  { enqueue }: Scope,
  store: Store,
  { merchantId, wabaId, field }: NumberUpdate,
  severity: 'warning' | 'critical',
  title: string,
  text: string,
): Promise<void> {
  const nowMs = store.now();
  enqueue({
    queue: 'notifications',
    name: 'send-notification',
    payload: {
      merchantId,
      notificationId: createId('ntf', nowMs),
      key: `${field}-${wabaId ?? merchantId}`.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 191),
      severity,
      title,
      body: `${text}${wabaId === null ? '' : ` (account ${wabaId})`}`,
      occurredAtMs: nowMs,
    },
    meta: { merchantId },
  });
}

/** The provider writes a tier as a word or as a number of people. */
function tierOf(limit: unknown): string | undefined {
  if (typeof limit === 'string') return limit;
  if (typeof limit !== 'number') return undefined;
  if (limit < 0) return 'TIER_UNLIMITED';
  return limit >= 1000 ? `TIER_${Math.round(limit / 1000)}K` : `TIER_${limit}`;
}

function word(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
