import type { JobPayload } from '@switchyard/jobs';
import type { Store } from '../database/scope.ts';
import type { FirstTime } from '../inbound/receive-messages.ts';
import { applyNumberUpdate, isNumberField } from '../senders/apply-number-update.ts';
import { applyTemplateUpdate, templateFields } from '../templates/apply-template-update.ts';

type AccountUpdate = JobPayload<'receipts', 'apply-account-update'>;

/**
 * Keeps an update as it came, and follows it where it tells of a template, a number or an account. Once per event.
 *
 * @returns the numbers whose messages it has woken.
 */
export async function applyAccountUpdate(
  store: Store,
  firstTime: FirstTime,
  payload: AccountUpdate,
): Promise<string[]> {
  const { merchantId, eventId, field, occurredAtMs, receivedAtMs } = payload;
  const wabaId = payload.wabaId ?? null;
  const phoneNumberId = payload.phoneNumberId ?? null;
  return await store.inScope(async (scope) => {
    if (!(await firstTime(scope.trx, eventId))) return [];
    await scope.trx
      .insertInto('account_updates')
      .values({
        ...{ id: eventId, merchantId, field, wabaId, phoneNumberId, occurredAtMs, receivedAtMs },
        value: JSON.stringify(payload.value ?? null),
      })
      .execute();
    if (typeof payload.value !== 'object' || payload.value === null) return [];
    const value = payload.value as Record<string, unknown>;
    if (templateFields.includes(field))
      return await applyTemplateUpdate(scope, store, { merchantId, wabaId, field, value, occurredAtMs });
    if (isNumberField(field))
      await applyNumberUpdate(scope, store, { merchantId, wabaId, phoneNumberId, field, value });
    return [];
  });
}
