import { insertIgnore } from '@switchyard/database';
import { type JobMeta, type JobPayload, withMeta } from '@switchyard/jobs';
import { createId } from '@switchyard/runtime';
import type { Insertable } from 'kysely';
import type { Identifier } from '../contacts/address.ts';
import { inPeopleScope, type PeopleScope } from '../contacts/contact-book.ts';
import { setFields } from '../contacts/contact-fields.ts';
import type { ContactRow } from '../contacts/contact-store.ts';
import { meetContacts } from '../contacts/meet-contacts.ts';
import { readEchoIdentifiers, readIdentifiers, readNewIdentifiers } from '../contacts/profile.ts';
import type { PeopleSettings } from '../conversations/people-settings.ts';
import { handOverToPerson } from '../conversations/set-handover.ts';
import type { InboundMediaTable } from '../database/people-tables.ts';
import type { Scope, Store } from '../database/scope.ts';
import type { MessagesTable } from '../database/tables.ts';
import { readMedia } from '../media-in/read-media.ts';
import { followAnnounced } from './announced-identifiers.ts';
import { findAnswered } from './find-answered.ts';
import { findRecentCampaigns } from './find-recent-campaigns.ts';
import { followKeyword } from './follow-keyword.ts';
import { type InboundContent, readInboundContent } from './inbound-content.ts';
import { BUSINESS_APP_USER, type InboundRow, toInboundRow, toMediaRow } from './inbound-rows.ts';
import { tellOfMessage } from './tell-of-message.ts';
import { createWindows, type Windows } from './windows.ts';

/** The `inbound`/receive-message job. */
export type ReceiveMessage = JobPayload<'inbound', 'receive-message'>;

/** Whether a job's effect has been done before. Inserts its key in the transaction of the effect. */
export type FirstTime = (trx: Scope['trx'], jobId: string) => Promise<boolean>;

/** {@link FirstTime} for many: the ids that are new. */
export type FirstTimeMany = (trx: Scope['trx'], jobIds: Iterable<string>) => Promise<Set<string>>;

/** A message to receive. */
export interface InboundMessage {
  payload: ReceiveMessage;
  sender: { id: string; accessToken: string | undefined };
  settings: PeopleSettings;
  /** The ids of its job. */
  meta: JobMeta;
}

/** What an inbound message did. */
export interface ReceivedMessage {
  contactId: string;
  messageId: string;
  /** Its place among the contact's events; null for what the business wrote itself. */
  sequence: number | null;
  /** The file that is to be fetched. */
  mediaId?: string;
}

/** What receiving needs. */
export interface ReceiveParts {
  store: Store;
  firstTimeMany: FirstTimeMany;
  /** How long an event waits for its file. */
  mediaWaitMs: number;
}

/**
 * Receives messages of people, in one transaction: contacts, profiles, windows, opt-outs, the messages, their places among their
 * contacts' events, and the jobs that follow (flows' events, merchants' events).
 *
 * Nine statements for text messages of people who are known, whatever their number: the events' keys, owners of identifiers, contacts,
 * windows read and written, recent campaigns, messages, contacts written, jobs. What is rare costs more: new people, keywords, merges.
 *
 * @returns undefined for a message that had been received before, or that names nobody.
 */
export async function receiveMessages(
  parts: ReceiveParts,
  items: readonly InboundMessage[],
): Promise<(ReceivedMessage | undefined)[]> {
  const work = () => inPeopleScope(parts.store, (scope) => receiveAll(scope, parts, items));
  // Alone, a message lends its ids to all that follows from it.
  const [only] = items;
  return items.length === 1 && only ? await withMeta(only.meta, work) : await work();
}

const HOUR_MS = 3_600_000;

const isEcho = ({ field }: ReceiveMessage) => field === 'smb_message_echoes';

async function receiveAll(
  scope: PeopleScope,
  parts: ReceiveParts,
  items: readonly InboundMessage[],
): Promise<(ReceivedMessage | undefined)[]> {
  const { store } = parts;
  const { trx } = scope;
  const nowMs = store.now();
  const fresh = await parts.firstTimeMany(
    trx,
    items.map(({ payload }) => payload.eventId),
  );
  // The same event may be twice in one batch.
  const isTaken = items.map(({ payload }) => fresh.delete(payload.eventId));
  const identifiers = items.map(({ payload }, index) =>
    isTaken[index] ? (isEcho(payload) ? readEchoIdentifiers(payload) : readIdentifiers(payload)) : [],
  );
  await keepUnmatched(
    scope,
    items.filter((_, index) => isTaken[index] && identifiers[index]!.length === 0),
  );
  const met = await meetContacts(
    scope,
    store.dialect,
    items.map(({ payload }, index) => ({
      merchantId: payload.merchantId,
      identifiers: identifiers[index]!,
      source: 'provider',
      mayMake: true,
    })),
    nowMs,
  );
  const contacts = await followAllAnnounced(scope, store, items, met, nowMs);
  const contents = items.map(({ payload }) => readInboundContent(payload.message));
  const windows = await createWindows(
    scope,
    store.dialect,
    items.flatMap(({ payload, sender }, index) =>
      contacts[index] && opensWindow(payload) ? [{ contact: contacts[index], senderId: sender.id }] : [],
    ),
  );
  const answered = await findAnswered(
    trx,
    contents.filter((_, index) => contacts[index]),
  );
  const recent = await findRecentCampaigns(
    trx,
    items.flatMap(({ payload, settings }, index) => {
      const contact = contacts[index];
      const mayAnswer = contact && opensWindow(payload) && contents[index]!.contextId === undefined;
      // Whom we have just met nobody has written to.
      if (!mayAnswer || contact.createdAtMs === nowMs || settings.campaignReplyHours === 0) return [];
      return [{ contactId: contact.id, sinceMs: nowMs - settings.campaignReplyHours * HOUR_MS }];
    }),
  );
  const batch = { scope, parts, windows, answered, recent, messages: [], media: [], nowMs } satisfies Batch;
  const received: (ReceivedMessage | undefined)[] = [];
  for (const [index, item] of items.entries()) {
    const contact = contacts[index];
    if (!contact) received.push(undefined);
    else received.push(await receiveOne(batch, item, contact, contents[index]!));
  }
  await windows.save();
  await insertIgnore(trx, store.dialect, 'messages', batch.messages, ['id']);
  await insertIgnore(trx, store.dialect, 'inbound_media', batch.media, ['id']);
  return received;
}

interface Batch {
  scope: PeopleScope;
  parts: ReceiveParts;
  windows: Windows;
  /** Campaigns by the provider's id of their message. */
  answered: ReadonlyMap<string, string>;
  /** Campaigns by the contact that a message may answer without quoting it. */
  recent: ReadonlyMap<string, string>;
  messages: Insertable<MessagesTable>[];
  media: Insertable<InboundMediaTable>[];
  nowMs: number;
}

async function receiveOne(
  batch: Batch,
  item: InboundMessage,
  contact: ContactRow,
  content: InboundContent,
): Promise<ReceivedMessage> {
  const { scope, parts, windows, nowMs } = batch;
  const { payload, sender } = item;
  // Later than the person's message before it, whatever the clocks of processes say: the conversation is read in this order.
  const acceptedAtMs = Math.max(nowMs, (contact.lastInboundAtMs ?? 0) + 1);
  const base = {
    id: createId('msg', acceptedAtMs),
    contact,
    senderId: sender.id,
    payload,
    content,
    acceptedAtMs,
  };
  scope.people.touch(contact);
  if (isEcho(payload)) {
    handOverToPerson(scope, contact, { byUser: BUSINESS_APP_USER, settings: item.settings }, nowMs);
    batch.messages.push(toInboundRow({ ...base, direction: 'out', sequence: null }));
    return { contactId: contact.id, messageId: base.id, sequence: null };
  }
  setFields(contact, { name: payload.profile?.name?.slice(0, 512) }, nowMs);
  const isWritten = opensWindow(payload);
  const isFirstMessage = isWritten && contact.lastInboundAtMs === null;
  if (isWritten) {
    await followKeyword(scope, parts.store, contact, content, payload.occurredAtMs, nowMs);
    windows.open(contact.id, sender.id, payload.occurredAtMs);
    contact.lastInboundAtMs = acceptedAtMs;
    contact.unreadCount += 1;
  }
  const file = readMedia(payload.message);
  const mediaId = file && createId('med', acceptedAtMs);
  tellOfMessage(scope, {
    message: base,
    mediaId,
    // Nobody can fetch a file of a number without a token, so nothing waits for it.
    wait: mediaId && sender.accessToken ? { mediaId, untilMs: nowMs + parts.mediaWaitMs } : undefined,
    windowExpiresAtMs: windows.endOf(contact.id, sender.id),
    campaignId: isWritten ? campaignOf(batch, contact, content) : undefined,
    isFirstMessage,
    meta: item.meta,
  });
  const row: InboundRow = { ...base, direction: 'in', sequence: contact.lastSequence };
  batch.messages.push(toInboundRow(row));
  if (file && mediaId) batch.media.push(toMediaRow(mediaId, row, file));
  return {
    contactId: contact.id,
    messageId: base.id,
    sequence: contact.lastSequence,
    ...(mediaId === undefined ? {} : { mediaId }),
  };
}

/** A message that quotes another answers that one alone. */
function campaignOf(
  { answered, recent }: Batch,
  { id }: ContactRow,
  { contextId }: InboundContent,
): string | undefined {
  return contextId === undefined ? recent.get(id) : answered.get(contextId);
}

/** What the provider says about a person is no message of his. */
function opensWindow(payload: ReceiveMessage): boolean {
  return payload.message.type !== 'system' && !isEcho(payload);
}

/** Messages of nobody: some system messages name no one. */
async function keepUnmatched({ trx }: PeopleScope, items: readonly InboundMessage[]): Promise<void> {
  if (items.length === 0) return;
  const rows = items.map(({ payload: { eventId, merchantId, message, occurredAtMs, receivedAtMs } }) => ({
    id: eventId,
    merchantId,
    kind: 'message',
    name: 'message.received',
    body: JSON.stringify(message),
    occurredAtMs,
    receivedAtMs,
  }));
  await trx.insertInto('unmatched_events').values(rows).execute();
}

/** Follows changes of number and user id before anything is written under a contact that they may make another one. */
async function followAllAnnounced(
  scope: PeopleScope,
  store: Store,
  items: readonly InboundMessage[],
  met: readonly (ContactRow | undefined)[],
  nowMs: number,
): Promise<(ContactRow | undefined)[]> {
  for (const [index, { payload }] of items.entries()) {
    const contact = met[index];
    const announced: Identifier[] = contact && !isEcho(payload) ? readNewIdentifiers(payload.message) : [];
    if (contact && announced.length > 0)
      await followAnnounced(scope, store.dialect, scope.people.current(contact), announced, 'system', nowMs);
  }
  return met.map((contact) => contact && scope.people.current(contact));
}
