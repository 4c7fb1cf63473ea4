import { payloadMalformed } from '../errors.ts';
import { asObject, type JsonObject, readIdText, readTimeMs } from './read-json.ts';

/** Where in the payload an event stands, so that it can be cut out whole. */
export interface Place {
  readonly entry: number;
  readonly change?: number;
  /** One element of a list of the change's value. */
  readonly element?: { readonly list: string; readonly index: number };
}

/** What every event of a payload carries. */
interface Common {
  readonly place: Place;
  readonly field?: string;
  readonly wabaId?: string;
  readonly phoneNumberId?: string;
}

/** A message of whatever type, or the echo of one that was sent elsewhere. */
export interface MessageEvent extends Common {
  readonly kind: 'message' | 'echo';
  readonly phoneNumberId: string;
  readonly displayPhoneNumber?: string;
  /** `messages[].id`. */
  readonly providerId: string;
  readonly message: JsonObject;
  /** The element of `contacts` that is the message's sender. */
  readonly contact?: JsonObject;
  readonly occurredAtMs?: number;
}

/** The statuses of one change. */
export interface StatusesEvent extends Common {
  readonly kind: 'statuses';
  readonly statuses: readonly JsonObject[];
  /** The latest of their times. */
  readonly occurredAtMs?: number;
}

/** Any other field of the webhook, or what a `messages` change holds beside messages and statuses. */
export interface ValueEvent extends Common {
  readonly kind: 'update' | 'preferences';
  readonly field: string;
  readonly value: unknown;
  /** `entry.time` as it came; part of the event's id. */
  readonly entryTime?: number;
  readonly occurredAtMs?: number;
}

/** A part that has no shape we know. It is kept whole. */
export interface UnreadableEvent extends Common {
  readonly kind: 'unreadable';
  readonly reason: 'malformed-entry' | 'malformed-change' | 'malformed-message' | 'malformed-status';
}

export type WebhookEvent = MessageEvent | StatusesEvent | ValueEvent | UnreadableEvent;

/** Fields whose changes say what a person wants, or who they are. */
const preferenceFields = new Set(['user_preferences', 'user_id_update']);

/** Keys of a `messages` value that are read; a value with any other key also gives an update. */
const readKeys = new Set([
  'messaging_product',
  'metadata',
  'contacts',
  'messages',
  'statuses',
  'message_echoes',
]);

/**
 * Splits a WhatsApp webhook into its events. Pure; conserves everything: each message and status is in exactly one event, and
 * what can't be read is an `unreadable` event that points at it.
 *
 * @param payload the parsed body.
 * @throws CodedError PAYLOAD_MALFORMED where it is no envelope at all.
 */
export function splitPayload(payload: unknown): WebhookEvent[] {
  const entries = asObject(payload)?.entry;
  if (!Array.isArray(entries))
    throw payloadMalformed('the body is no WhatsApp webhook: it has no list "entry"');
  const events: WebhookEvent[] = [];
  entries.forEach((each: unknown, entry) => {
    const object = asObject(each);
    const changes = object?.changes;
    if (!object || !Array.isArray(changes)) {
      events.push({ kind: 'unreadable', reason: 'malformed-entry', place: { entry } });
      return;
    }
    const wabaId = readIdText(object.id);
    const entryTime = typeof object.time === 'number' ? object.time : undefined;
    changes.forEach((one: unknown, change) => {
      splitChange(one, { place: { entry, change }, ...(wabaId && { wabaId }) }, entryTime, events);
    });
  });
  return events;
}

function splitChange(
  change: unknown,
  base: Common & { place: Place },
  entryTime: number | undefined,
  events: WebhookEvent[],
): void {
  const object = asObject(change);
  const value = object?.value;
  if (!object || typeof object.field !== 'string' || value === undefined) {
    events.push({ ...base, kind: 'unreadable', reason: 'malformed-change' });
    return;
  }
  const metadata = asObject(asObject(value)?.metadata);
  const phoneNumberId = readIdText(metadata?.phone_number_id);
  const common = { ...base, field: object.field, ...(phoneNumberId && { phoneNumberId }) };
  const occurredAtMs = readTimeMs(entryTime);
  const timed = {
    ...(entryTime !== undefined && { entryTime }),
    ...(occurredAtMs !== undefined && { occurredAtMs }),
  };
  if (object.field !== 'messages' && object.field !== 'smb_message_echoes') {
    const kind = preferenceFields.has(object.field) ? 'preferences' : 'update';
    events.push({ ...common, kind, field: object.field, value, ...timed });
    return;
  }
  const lists = asObject(value);
  const { messages, statuses, message_echoes: echoes } = lists ?? {};
  if (!lists || [messages, statuses, echoes].some((list) => list !== undefined && !Array.isArray(list))) {
    events.push({ ...common, kind: 'unreadable', reason: 'malformed-change' });
    return;
  }
  const shared = { common, value: lists, displayPhoneNumber: readIdText(metadata?.display_phone_number) };
  splitMessages('message', 'messages', shared, events);
  splitMessages('echo', 'message_echoes', shared, events);
  splitStatuses(common, lists, events);
  const rest = Object.keys(lists).filter((key) => !readKeys.has(key));
  const hasEvents = messages !== undefined || statuses !== undefined || echoes !== undefined;
  if (rest.length === 0 && hasEvents) return;
  // `errors` of the account, or something new: nothing that came with the change may vanish.
  const kept = ['messaging_product', 'metadata', 'contacts', ...rest].filter((key) =>
    Object.hasOwn(lists, key),
  );
  events.push({
    ...common,
    kind: 'update',
    field: object.field,
    value: Object.fromEntries(kept.map((key) => [key, lists[key]])),
    ...timed,
  });
}

interface ChangeContents {
  readonly common: Common;
  readonly value: JsonObject;
  readonly displayPhoneNumber: string | undefined;
}

function splitMessages(
  kind: 'message' | 'echo',
  list: 'messages' | 'message_echoes',
  { common, value, displayPhoneNumber }: ChangeContents,
  events: WebhookEvent[],
): void {
  const listed: unknown[] = Array.isArray(value.contacts) ? value.contacts : [];
  const contacts = listed.map(asObject).filter((each) => each !== undefined);
  const elements = (value[list] ?? []) as unknown[];
  elements.forEach((each, index) => {
    const message = asObject(each);
    const providerId = readIdText(message?.id, 512);
    const { phoneNumberId } = common;
    const place = { ...common.place, element: { list, index } };
    if (!message || providerId === undefined || phoneNumberId === undefined) {
      events.push({ ...common, place, kind: 'unreadable', reason: 'malformed-message' });
      return;
    }
    const contact = kind === 'message' ? findSender(message, contacts) : undefined;
    const occurredAtMs = readTimeMs(message.timestamp);
    events.push({
      ...common,
      place,
      kind,
      phoneNumberId,
      providerId,
      message,
      ...(displayPhoneNumber && { displayPhoneNumber }),
      ...(contact && { contact }),
      ...(occurredAtMs !== undefined && { occurredAtMs }),
    });
  });
}

/** The sender's profile: by phone or user id, since both may be absent; the only one where there is one. */
function findSender(message: JsonObject, contacts: readonly JsonObject[]): JsonObject | undefined {
  const { from, from_user_id: userId } = message;
  const found = contacts.find(
    (contact) =>
      (from !== undefined && contact.wa_id === from) || (userId !== undefined && contact.user_id === userId),
  );
  return found ?? (contacts.length === 1 ? contacts[0] : undefined);
}

function splitStatuses(common: Common, value: JsonObject, events: WebhookEvent[]): void {
  const readable: JsonObject[] = [];
  let latestMs: number | undefined;
  ((value.statuses ?? []) as unknown[]).forEach((each, index) => {
    const status = asObject(each);
    if (!status || common.phoneNumberId === undefined) {
      const place = { ...common.place, element: { list: 'statuses', index } };
      events.push({ ...common, place, kind: 'unreadable', reason: 'malformed-status' });
      return;
    }
    readable.push(status);
    const timeMs = readTimeMs(status.timestamp);
    if (timeMs !== undefined) latestMs = Math.max(latestMs ?? 0, timeMs);
  });
  if (readable.length === 0) return;
  events.push({
    ...common,
    kind: 'statuses',
    statuses: readable,
    ...(latestMs !== undefined && { occurredAtMs: latestMs }),
  });
}
