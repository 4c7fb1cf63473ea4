import { insertIgnore } from '@switchyard/database';
import { lockContact } from '../contacts/contact-store.ts';
import { optOutOfMarketing } from '../contacts/opt-out.ts';
import type { Dialect, Scope } from '../database/scope.ts';
import { pauseSenders } from '../senders/sender-store.ts';
import type { ProviderErrorRule } from './provider-errors.ts';

/** Whom an error concerns. */
export interface ErrorSubject {
  merchantId: string;
  contactId: string | null;
  senderId: string | null;
  wabaId: string | null;
  template: string | undefined;
}

/** Does in SQL what an error asks for beyond its message: pause, hold, suppress. Safe to repeat. */
export async function reactToError(
  scope: Scope,
  dialect: Dialect,
  rule: ProviderErrorRule,
  code: string,
  subject: ErrorSubject,
  nowMs: number,
): Promise<void> {
  const { merchantId, senderId, wabaId, template, contactId } = subject;
  const cause = { code, reason: rule.meaning };
  switch (rule.action) {
    case 'pause-sender':
      if (senderId !== null) await pauseSenders(scope, merchantId, { id: senderId }, cause, nowMs);
      break;
    case 'pause-account':
      if (wabaId !== null) await pauseSenders(scope, merchantId, { wabaId }, cause, nowMs);
      else if (senderId !== null) await pauseSenders(scope, merchantId, { id: senderId }, cause, nowMs);
      break;
    case 'hold-template':
    case 'drop-template':
      if (template !== undefined)
        await insertIgnore(
          scope.trx,
          dialect,
          'template_holds',
          [
            {
              merchantId,
              template,
              state: rule.action === 'hold-template' ? 'held' : 'dropped',
              reason: `${rule.meaning} (${code})`,
              createdAtMs: nowMs,
            },
          ],
          ['merchantId', 'template'],
        );
      break;
    case 'fail-and-suppress': {
      if (contactId === null) break;
      const contact = await lockContact(scope.trx, dialect, merchantId, contactId);
      if (contact)
        await optOutOfMarketing(
          scope,
          dialect,
          contact,
          { reason: 'provider', source: `error ${code}` },
          nowMs,
        );
      break;
    }
    default:
      break;
  }
}

/** Whether {@link reactToError} has anything to do. */
export function needsReaction({ action }: ProviderErrorRule): boolean {
  return ['pause-sender', 'pause-account', 'hold-template', 'drop-template', 'fail-and-suppress'].includes(
    action,
  );
}
