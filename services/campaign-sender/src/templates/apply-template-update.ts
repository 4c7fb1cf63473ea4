import type { Scope, Store } from '../database/scope.ts';
import { requestSync } from '../senders/account-store.ts';
import { sendabilityOf } from './template-facts.ts';
import { noteTemplate } from './template-store.ts';
import { wakeHeld } from './wake-held.ts';

type Loose = Record<string, unknown>;

const GRAIN_MS = 999;

/** Fields of the webhook that tell of templates. */
export const templateFields: readonly string[] = [
  'message_template_status_update',
  'message_template_quality_update',
  'message_template_components_update',
  'template_category_update',
];

/** Events of a template's status that are not the status's own name. */
const statusOf: Readonly<Record<string, string>> = { REINSTATED: 'APPROVED', UNARCHIVED: 'APPROVED' };

/**
 * Follows a webhook about a template: its status at once, the rest by reading the account's list soon. Safe to repeat; what is
 * older than what is known changes nothing. Messages that waited for the template's release are due at once.
 *
 * @returns the numbers whose messages were woken.
 */
export async function applyTemplateUpdate(
  { trx }: Scope,
  store: Store,
  update: { merchantId: string; wabaId: string | null; field: string; value: Loose; occurredAtMs: number },
): Promise<string[]> {
  const { merchantId, wabaId, field, value, occurredAtMs } = update;
  const { message_template_name: name, message_template_language: language } = value;
  const nowMs = store.now();
  if (wabaId !== null) await requestSync(trx, store.dialect, { merchantId, wabaId }, nowMs);
  if (typeof name !== 'string' || typeof language !== 'string') return [];
  const word = (key: string) => (typeof value[key] === 'string' ? (value[key] as string) : undefined);
  const event = word('event');
  const told = field === 'message_template_status_update' ? event : undefined;
  const status = told === undefined ? undefined : (statusOf[told] ?? told);
  const category = word('new_category') ?? word('message_template_category');
  const quality = word('new_quality_score');
  const id = value.message_template_id;
  if (status === undefined && category === undefined && quality === undefined) return [];
  await noteTemplate(
    trx,
    store.dialect,
    { merchantId, wabaId, name, language },
    {
      ...(status === undefined ? {} : { status, reason: reasonOf(value) }),
      ...(category === undefined ? {} : { category }),
      ...(quality === undefined ? {} : { quality }),
      ...(typeof id === 'number' || typeof id === 'string' ? { providerTemplateId: String(id) } : {}),
    },
    // The provider's time has a grain of a second; a list that was read within it may be older.
    occurredAtMs + GRAIN_MS,
    nowMs,
  );
  const isReleased = status !== undefined && sendabilityOf(status) !== 'held';
  return isReleased ? await wakeHeld(trx, { merchantId, wabaId }, [name], nowMs) : [];
}

function reasonOf({ reason, other_info: other, rejection_info: rejection }: Loose): string | null {
  for (const source of [rejection, other] as (Loose | undefined)[]) {
    const text = source?.reason ?? source?.description ?? source?.title;
    if (typeof text === 'string') return text;
  }
  return typeof reason === 'string' && reason !== 'NONE' ? reason : null;
}
