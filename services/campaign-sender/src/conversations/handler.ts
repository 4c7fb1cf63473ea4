import type { ContactRow } from '../contacts/contact-store.ts';

/** Who answers a person: somebody of the merchant's, or flows. */
export type Handler = 'person' | 'automation';

/** Who has a conversation at a time: a handover may end by itself. */
export function activeHandler(
  contact: Pick<ContactRow, 'handler' | 'handlerUntilMs'>,
  nowMs: number,
): Handler {
  if (contact.handler !== 'person') return 'automation';
  return contact.handlerUntilMs === null || contact.handlerUntilMs > nowMs ? 'person' : 'automation';
}
