/** A component as the provider describes it. */
export interface DefinedComponent {
  type: string;
  format?: string;
  text?: string;
  buttons?: { type: string; text?: string; url?: string }[];
  cards?: { components: DefinedComponent[] }[];
  limited_time_offer?: { has_expiration?: boolean };
  [key: string]: unknown;
}

/** A template in one language, as sending needs it. */
export interface TemplateFacts {
  id: string;
  name: string;
  language: string;
  /** The provider's word, such as `APPROVED`. */
  status: string;
  category: string | null;
  isNamed: boolean;
  /** Null for one known only from a webhook or an error: its filling can't be checked. */
  components: readonly DefinedComponent[] | null;
}

/** What a template's status means for messages that use it. */
export type Sendability = 'go' | 'held' | 'dropped';

const held: readonly string[] = ['PAUSED', 'PENDING', 'IN_APPEAL', 'LOCKED', 'LIMIT_EXCEEDED'];
const dropped: readonly string[] = ['DISABLED', 'REJECTED', 'DELETED', 'PENDING_DELETION', 'ARCHIVED'];

/**
 * Whether messages may go. `held` ones wait for a webhook or the next synchronisation, `dropped` ones fail. A flagged template is
 * a warning: it may still be sent. What we don't know the provider decides.
 */
export function sendabilityOf(status: string): Sendability {
  if (held.includes(status)) return 'held';
  return dropped.includes(status) ? 'dropped' : 'go';
}

/** One-tap, zero-tap and copy-code buttons write to a phone, so a user id is not enough (131062). */
export function needsPhone({ category }: Pick<TemplateFacts, 'category'>): boolean {
  return category === 'AUTHENTICATION';
}

/** Languages are written `en_US` in most places and `en-US` in some. */
export function normalizeLanguage(code: string): string {
  return code.replace('-', '_');
}
