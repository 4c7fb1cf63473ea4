import { lockContact } from '../contacts/contact-store.ts';
import { optOutOfMarketing } from '../contacts/opt-out.ts';
import type { Dialect, Scope } from '../database/scope.ts';
import { pauseSenders } from '../senders/pause-senders.ts';
import { noteTemplate } from '../templates/template-store.ts';
import type { ProviderErrorRule } from './provider-errors.ts';

/** Whom an error concerns. */
export interface ErrorSubject {
  merchantId: string;
  contactId: string | null;
  senderId: string | null;
  wabaId: string | null;
  template: { name: string; language: string } | undefined;
}

/** The template that a message uses. */
export function templateOf({ type, content }: { type: string; content: Record<string, unknown> }) {
  const { name, language } = content as { name?: unknown; language?: { code?: unknown } };
  return type === 'template' && typeof name === 'string' && typeof language?.code === 'string'
    ? { name, language: language.code }
    : undefined;
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
        await noteTemplate(
          scope.trx,
          dialect,
          { merchantId, wabaId, ...template },
          {
            status: rule.action === 'hold-template' ? 'PAUSED' : 'DISABLED',
            reason: `${rule.meaning} (${code})`,
          },
          nowMs,
          nowMs,
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
