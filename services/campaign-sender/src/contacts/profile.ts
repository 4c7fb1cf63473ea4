import type { JobPayload } from '@switchyard/jobs';
import { type Identifier, parseAddress, parsePhone } from './address.ts';

type ReceiveMessage = JobPayload<'inbound', 'receive-message'>;

/**
 * Everything in an inbound message that identifies its sender. All of it is optional: the phone number is absent for people
 * with a username, system messages have no profile.
 */
export function readIdentifiers({
  message,
  profile,
}: Pick<ReceiveMessage, 'message' | 'profile'>): Identifier[] {
  const found: Identifier[] = [];
  const add = (kind: Identifier['kind'], value: unknown) => {
    if (typeof value !== 'string' || value === '' || value.length > 160) return;
    if (!found.some((each) => each.kind === kind)) found.push({ kind, value });
  };
  add('phone', phoneOf(profile?.waId) ?? phoneOf(message.from));
  add('user_id', profile?.userId ?? message.from_user_id);
  add('parent_user_id', profile?.parentUserId ?? message.from_parent_user_id);
  add('username', profile?.username);
  // Sent without the prefix or in a form unknown today: whatever stands in `from` still finds the person again.
  if (found.length === 0 && typeof message.from === 'string')
    add(parseAddress(message.from)?.kind ?? 'user_id', message.from);
  return found;
}

/** Whom the business has written to from its own phone: the message names the person as its recipient. */
export function readEchoIdentifiers({ message }: Pick<ReceiveMessage, 'message'>): Identifier[] {
  const { to, to_user_id } = message;
  const phone = phoneOf(to);
  return [
    ...(phone === undefined ? [] : [{ kind: 'phone', value: phone } as const]),
    ...(typeof to_user_id === 'string' && to_user_id !== '' && to_user_id.length <= 160
      ? [{ kind: 'user_id', value: to_user_id } as const]
      : []),
  ];
}

/** The identifiers that a system message announces: the person has another number or user id. */
export function readNewIdentifiers(message: Record<string, unknown>): Identifier[] {
  const system = message.system as { wa_id?: unknown; user_id?: unknown } | undefined;
  if (message.type !== 'system' || typeof system !== 'object' || system === null) return [];
  const found: Identifier[] = [];
  const phone = phoneOf(system.wa_id);
  if (phone !== undefined) found.push({ kind: 'phone', value: phone });
  if (typeof system.user_id === 'string' && system.user_id !== '' && system.user_id.length <= 160)
    found.push({ kind: 'user_id', value: system.user_id });
  return found;
}

/** A `wa_id` is a phone number without `+`; one of a shape that no plan of numbers knows is kept as it is. */
function phoneOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^\+?[0-9]{5,20}$/.test(value)) return undefined;
  return parsePhone(value) ?? `+${value.replace('+', '')}`;
}
