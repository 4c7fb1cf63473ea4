import { hash } from 'node:crypto';

/**
 * The id under which ingress, the queue and the consumer absorb repeats of one event: 160 bits over its parts.
 *
 * The source's own key is part of it, so that a merchant who signs with an app of their own can't make another merchant's
 * event look like a repeat.
 *
 * @param parts source kind, source key, kind of event, the provider's id.
 * @returns letters, digits, `-` and `_` only; never digits alone, never `:` (BullMQ refuses both).
 */
export function eventId(...parts: readonly string[]): string {
  // The lengths keep ('a', 'bc') and ('ab', 'c') apart.
  const text = parts.map((part) => `${part.length}.${part}`).join('');
  return `evt_${hash('sha256', text, 'base64url').slice(0, 27)}`;
}
