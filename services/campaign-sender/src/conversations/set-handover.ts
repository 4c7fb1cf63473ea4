import type { JobPayload } from '@switchyard/jobs';
import { createId } from '@switchyard/runtime';
import { inPeopleScope, type PeopleScope } from '../contacts/contact-book.ts';
import type { ContactRow } from '../contacts/contact-store.ts';
import type { Store } from '../database/scope.ts';
import type { FirstTime } from '../inbound/receive-messages.ts';
import { publishEvents } from '../messages/merchant-events.ts';
import { activeHandler, type Handler } from './handler.ts';
import type { PeopleSettings } from './people-settings.ts';

/** A change of hands. */
export interface Handover {
  handler: Handler;
  /** Then automation has it again by itself. */
  untilMs?: number | undefined;
  /** Who took or gave it. */
  byUser?: string | undefined;
  reason?: string | undefined;
}

/**
 * Puts a conversation into other hands. The merchant is told when the hands are new; a person who has it already only gets more time.
 *
 * @returns whether anything has changed.
 */
export function handOver(
  { enqueue, people }: PeopleScope,
  contact: ContactRow,
  { handler, untilMs, byUser, reason }: Handover,
  nowMs: number,
): boolean {
  const before = activeHandler(contact, nowMs);
  const isPerson = handler === 'person';
  if (!isPerson && contact.handler === null) return false;
  contact.handler = isPerson ? 'person' : null;
  contact.handlerUntilMs = isPerson ? (untilMs ?? null) : null;
  contact.handlerUserId = isPerson ? (byUser ?? contact.handlerUserId) : null;
  contact.handlerReason = isPerson ? (reason?.slice(0, 500) ?? contact.handlerReason) : null;
  contact.handlerSinceMs = nowMs;
  people.touch(contact);
  if (before !== handler)
    publishEvents(enqueue, contact.merchantId, [
      {
        id: `${contact.id}_${isPerson ? 'handed_over' : 'released'}_${nowMs}`,
        type: isPerson ? 'conversation.handed_over' : 'conversation.released',
        occurredAtMs: nowMs,
        data: { contactId: contact.id, untilMs: untilMs ?? null, by: byUser ?? null, reason: reason ?? null },
      },
    ]);
  return true;
}

/**
 * Gives a conversation to somebody who has written in it, for as long as the merchant has set, and tells flows: they rest meanwhile.
 *
 * @param byUser who; none for whoever.
 */
export function handOverToPerson(
  scope: PeopleScope,
  contact: ContactRow,
  { byUser, settings, reason }: { byUser: string; settings: PeopleSettings; reason?: string },
  nowMs: number,
): void {
  const { handoverMinutes } = settings;
  const untilMs = handoverMinutes === null ? undefined : nowMs + handoverMinutes * 60_000;
  changeHands(scope, contact, { handler: 'person', untilMs, byUser, reason }, nowMs);
}

/** Puts a conversation into other hands by decision of a person, and tells flows. */
export function changeHands(
  scope: PeopleScope,
  contact: ContactRow,
  handover: Handover,
  nowMs: number,
): void {
  if (!handOver(scope, contact, handover, nowMs)) return;
  const { handler, untilMs, byUser } = handover;
  scope.enqueue({
    queue: 'flows',
    name: 'set-handover',
    payload: {
      merchantId: contact.merchantId,
      changeId: createId('hnd', nowMs),
      contactId: contact.id,
      handler,
      ...(untilMs === undefined ? {} : { untilMs }),
      ...(byUser === undefined ? {} : { byUser }),
    },
    meta: { merchantId: contact.merchantId },
  });
}

/** `contacts`/set-handover: what a flow decided. Once, by its `effectId`. */
export async function applyHandover(
  store: Store,
  firstTime: FirstTime,
  payload: JobPayload<'contacts', 'set-handover'>,
): Promise<void> {
  const { merchantId, contactId, effectId, handler, untilMs, reason, runId } = payload;
  await inPeopleScope(store, async (scope) => {
    if (!(await firstTime(scope.trx, effectId))) return;
    const contact = (await scope.people.lock(merchantId, [contactId])).get(contactId);
    if (!contact) return;
    const byUser = runId === undefined ? undefined : `flow:${runId}`;
    handOver(scope, contact, { handler, untilMs, byUser, reason }, store.now());
  });
}
