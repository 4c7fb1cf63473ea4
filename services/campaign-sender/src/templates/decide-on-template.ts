import type { Candidate } from '../messages/message-candidate.ts';
import type { Decision } from '../sending/decide-before-call.ts';
import { needsPhone, sendabilityOf, type TemplateFacts } from './template-facts.ts';

/** What becomes of a message that uses a template, besides what {@link Decision} knows: it may wait for its template. */
export type TemplateDecision = Exclude<Decision, { kind: 'leave' | 'fall-back' }> | { kind: 'hold' };

/** Decides by what is known of the template, just before the call. Pure. */
export function decideOnTemplate(
  message: Pick<Candidate, 'addressKind' | 'contactPhone' | 'marketingOptedOut'>,
  template: TemplateFacts | undefined,
): TemplateDecision {
  if (!template) return { kind: 'go' };
  const sendability = sendabilityOf(template.status);
  if (sendability === 'held') return { kind: 'hold' };
  if (sendability === 'dropped')
    return {
      kind: 'settle',
      state: 'failed',
      code: '132016',
      reason: `the template can not be sent: ${template.status}`,
    };
  if (template.category === 'MARKETING' && message.marketingOptedOut)
    return {
      kind: 'settle',
      state: 'skipped',
      code: 'MARKETING_OPTED_OUT',
      reason: 'the person wants no marketing',
    };
  if (needsPhone(template) && message.addressKind !== 'phone' && message.contactPhone === null)
    return {
      kind: 'settle',
      state: 'failed',
      code: '131062',
      reason: 'authentication needs a phone number, and none is known of this person',
    };
  return { kind: 'go' };
}

/** Where a message goes: to the person's phone where the template needs one and the caller named a user id. */
export function addressFor<T extends Pick<Candidate, 'addressKind' | 'address' | 'contactPhone'>>(
  message: T,
  template: TemplateFacts | undefined,
): T {
  if (!template || !needsPhone(template) || message.addressKind === 'phone' || message.contactPhone === null)
    return message;
  return { ...message, addressKind: 'phone', address: message.contactPhone };
}
