import { hash } from 'node:crypto';
import type { JobMeta, JobPayload, JobToAdd } from '@switchyard/jobs';
import { DEDUPLICATION_TTL_MS } from '../intake/add-events.ts';
import { eventId } from '../intake/event-id.ts';
import { type JsonObject, readText } from './read-json.ts';
import type { MessageEvent, StatusesEvent, ValueEvent, WebhookEvent } from './split-payload.ts';

/** An event that some source can take. */
export type RoutableEvent = MessageEvent | StatusesEvent | ValueEvent;

/** What a job needs beside its event. */
export interface JobContext {
  readonly merchantId: string;
  readonly receivedAtMs: number;
  /** Of the request it came in. */
  readonly meta: JobMeta;
}

/**
 * The id of an event: of a message, the provider's; of statuses, the payload's and their place in it (they are idempotent by
 * rank, so a key only saves work); of any other field, its value and time.
 *
 * @param bodyKey the same for two deliveries of the same bytes.
 */
export function idOfEvent(event: RoutableEvent, bodyKey: string): string {
  const source = event.phoneNumberId ?? event.wabaId ?? '';
  switch (event.kind) {
    case 'message':
    case 'echo':
      return eventId('whatsapp', source, event.kind, event.providerId);
    case 'statuses':
      return eventId('whatsapp', source, event.kind, bodyKey, `${event.place.entry}.${event.place.change}`);
    default: {
      const value = hash('sha256', JSON.stringify(event.value), 'base64url');
      return eventId('whatsapp', source, event.field, value, String(event.entryTime ?? ''));
    }
  }
}

/** The job that an event becomes: one per message, one per change's statuses, one per other change. */
export function toJob(event: RoutableEvent, id: string, context: JobContext): JobToAdd {
  const { merchantId, receivedAtMs } = context;
  const base = {
    merchantId,
    receivedAtMs,
    ...(event.wabaId && { wabaId: event.wabaId }),
    ...(event.phoneNumberId && { phoneNumberId: event.phoneNumberId }),
  };
  const options = { jobId: id, deduplicationTtlMs: DEDUPLICATION_TTL_MS };
  const meta = { ...context.meta, merchantId };
  const occurredAtMs = event.occurredAtMs ?? receivedAtMs;
  switch (event.kind) {
    case 'message':
    case 'echo': {
      const profile = event.contact && toProfile(event.contact);
      const payload: JobPayload<'inbound', 'receive-message'> = {
        ...base,
        eventId: id,
        phoneNumberId: event.phoneNumberId,
        message: event.message,
        occurredAtMs,
        ...(event.field && { field: event.field }),
        ...(event.displayPhoneNumber && { displayPhoneNumber: event.displayPhoneNumber }),
        ...(profile && { profile }),
      };
      return { queue: 'inbound', name: 'receive-message', payload, options, meta };
    }
    case 'statuses': {
      const payload: JobPayload<'receipts', 'apply-statuses'> = {
        ...base,
        phoneNumberId: event.phoneNumberId ?? '',
        statuses: event.statuses as JsonObject[],
      };
      return { queue: 'receipts', name: 'apply-statuses', payload, options, meta };
    }
    default: {
      const payload = { ...base, eventId: id, field: event.field, value: event.value, occurredAtMs };
      return event.kind === 'preferences'
        ? { queue: 'receipts', name: 'apply-preferences', payload, options, meta }
        : { queue: 'receipts', name: 'apply-account-update', payload, options, meta };
    }
  }
}

/** Whether an event can be routed at all. */
export function isRoutable(event: WebhookEvent): event is RoutableEvent {
  return event.kind !== 'unreadable';
}

function toProfile(contact: JsonObject): JobPayload<'inbound', 'receive-message'>['profile'] {
  const profile = (contact.profile ?? {}) as JsonObject;
  const name = readText(profile.name);
  const username = readText(profile.username);
  const waId = readText(contact.wa_id);
  const userId = readText(contact.user_id);
  const parentUserId = readText(contact.parent_user_id);
  return {
    ...(name && { name }),
    ...(username && { username }),
    ...(waId && { waId }),
    ...(userId && { userId }),
    ...(parentUserId && { parentUserId }),
  };
}
