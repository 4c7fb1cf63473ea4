import { insertIgnore } from '@switchyard/database';
import type { JobPayload } from '@switchyard/jobs';
import type { Store } from '../database/scope.ts';
import type { FirstTime } from '../inbound/receive-message.ts';
import { pauseSenders } from '../senders/sender-store.ts';

type AccountUpdate = JobPayload<'receipts', 'apply-account-update'>;
type Loose = Record<string, unknown>;

/** Events of a template that stop it, and those that let it go again. */
const holdingEvents = ['PAUSED', 'FLAGGED', 'PENDING_DELETION', 'LOCKED', 'LIMIT_EXCEEDED'];
const droppingEvents = ['DISABLED', 'REJECTED', 'DELETED', 'ARCHIVED'];
const releasingEvents = ['APPROVED', 'REINSTATED', 'UNARCHIVED'];
/** Events of an account after which none of its numbers may send. */
const stoppingEvents = [
  'DISABLED_UPDATE',
  'ACCOUNT_DELETED',
  'ACCOUNT_RESTRICTION',
  'ACCOUNT_OFFBOARDED',
  'PARTNER_REMOVED',
];

/** Keeps an update as it came, and follows it where it stops or releases a template or an account. Once per event. */
export async function applyAccountUpdate(
  store: Store,
  firstTime: FirstTime,
  payload: AccountUpdate,
): Promise<void> {
  const { merchantId, eventId, field, wabaId, phoneNumberId, value, occurredAtMs, receivedAtMs } = payload;
  await store.inScope(async (scope) => {
    if (!(await firstTime(scope.trx, eventId))) return;
    await scope.trx
      .insertInto('account_updates')
      .values({
        id: eventId,
        merchantId,
        field,
        wabaId: wabaId ?? null,
        phoneNumberId: phoneNumberId ?? null,
        value: JSON.stringify(value ?? null),
        occurredAtMs,
        receivedAtMs,
      })
      .execute();
    const update = typeof value === 'object' && value !== null ? (value as Loose) : {};
    const event = typeof update.event === 'string' ? update.event : '';
    const template = update.message_template_name;
    if (field === 'message_template_status_update' && typeof template === 'string') {
      if (releasingEvents.includes(event))
        await scope.trx
          .deleteFrom('template_holds')
          .where('merchantId', '=', merchantId)
          .where('template', '=', template)
          .execute();
      const isDropped = droppingEvents.includes(event);
      if (isDropped || holdingEvents.includes(event))
        await insertIgnore(
          scope.trx,
          store.dialect,
          'template_holds',
          [
            {
              merchantId,
              template,
              state: isDropped ? 'dropped' : 'held',
              reason: event,
              createdAtMs: store.now(),
            },
          ],
          ['merchantId', 'template'],
        );
    }
    if (field === 'account_update' && wabaId !== undefined && stoppingEvents.includes(event))
      await pauseSenders(
        scope,
        merchantId,
        { wabaId },
        { code: event, reason: 'the provider has stopped the account' },
        store.now(),
      );
  });
}
