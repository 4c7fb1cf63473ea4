import { createSecretBox, dialectOf, insertIgnore } from '@switchyard/database';
import { DEFAULT_MERCHANT_ID } from '@switchyard/runtime';
import { newContact } from '../../src/contacts/contact-store.ts';
import type { Executor } from '../../src/database/scope.ts';
import { loadServiceConfig } from '../../src/index.ts';
import { readOutgoing } from '../../src/messages/outgoing-message.ts';
import { recordMessages } from '../../src/messages/record-messages.ts';
import { tokenContext } from '../../src/senders/sender-directory.ts';

const CHUNK = 500;
const YEAR_MS = 365 * 86_400_000;

/** Names of the rows that a load has; the simulator's numbers are the same. */
export const senderIdOf = (index: number) => `snd_load_${String(index).padStart(5, '0')}`;
export const phoneNumberIdOf = (index: number) => String(300_000_000_000_000 + index);
export const personOf = (index: number) => `+1555${String(1_000_000 + index)}`;

async function inChunks(count: number, fill: (from: number, to: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < count; from += CHUNK) await fill(from, Math.min(count, from + CHUNK));
}

const range = <T>(from: number, to: number, make: (index: number) => T): T[] =>
  Array.from({ length: to - from }, (_, index) => make(from + index));

/** Records numbers that may send so many messages per second; 0: unconfigured. */
export async function fillNumbers(
  db: Executor,
  env: Readonly<Record<string, string | undefined>>,
  count: number,
  perSecond: number,
): Promise<void> {
  const secretBox = createSecretBox(loadServiceConfig(env).encryptionKeys);
  const nowMs = Date.now();
  await inChunks(count, (from, to) =>
    insertIgnore(
      db,
      dialectOf(db),
      'senders',
      range(from, to, (index) => ({
        id: senderIdOf(index),
        merchantId: DEFAULT_MERCHANT_ID,
        phoneNumberId: phoneNumberIdOf(index),
        wabaId: '200000000000001',
        displayPhoneNumber: null,
        accessToken: secretBox.seal('simulator-access-token', tokenContext(senderIdOf(index))),
        state: 'active' as const,
        pauseCode: null,
        pauseReason: null,
        pausedAtMs: null,
        messagesPerSecond: perSecond || null,
        portfolioId: null,
        peoplePerDay: null,
        probeAtMs: null,
        probes: null,
        isDefault: 0 as const,
        lastStatusAtMs: 0,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
      })),
      ['id'],
    ),
  );
}

/** Records people who have just written to their number: person n to number n modulo `numbers`. @param first the first n. */
export async function fillPeople(db: Executor, count: number, numbers: number, first = 0): Promise<void> {
  const nowMs = Date.now();
  await inChunks(count, async (from, to) => {
    const people = range(first + from, first + to, (index) => {
      const identifier = { kind: 'phone' as const, value: personOf(index) };
      return { index, identifier, contact: newContact(DEFAULT_MERCHANT_ID, [identifier], nowMs) };
    });
    const dialect = dialectOf(db);
    await insertIgnore(
      db,
      dialect,
      'contacts',
      people.map(({ contact }) => contact),
      ['id'],
    );
    await insertIgnore(
      db,
      dialect,
      'contact_identifiers',
      people.map(({ identifier, contact }) => ({
        merchantId: DEFAULT_MERCHANT_ID,
        ...identifier,
        contactId: contact.id,
        createdAtMs: nowMs,
      })),
      ['merchantId', 'kind', 'value'],
    );
    await insertIgnore(
      db,
      dialect,
      'conversations',
      people.map(({ index, contact }) => ({
        contactId: contact.id,
        senderId: senderIdOf(index % numbers),
        merchantId: DEFAULT_MERCHANT_ID,
        windowExpiresAtMs: nowMs + YEAR_MS,
        lastInboundAtMs: nowMs,
      })),
      ['contactId', 'senderId'],
    );
  });
}

/** Messages of a campaign. */
export interface Backlog {
  count: number;
  /** The nth goes to person n modulo `people`, counted from `firstPerson` (0), whose number is that modulo `numbers`. */
  people: number;
  numbers: number;
  firstPerson?: number;
  /** Number in the first one's id. */
  from?: number;
  /** 0: now. */
  dueInMs?: number;
}

/** Records messages of a campaign. */
export async function fillBacklog(
  db: Executor,
  { count, people, numbers, firstPerson = 0, from: first = 0, dueInMs = 0 }: Backlog,
): Promise<void> {
  const nowMs = Date.now();
  await inChunks(count, async (from, to) => {
    const items = range(from, to, (index) => {
      const person = (firstPerson + index) % people;
      const { message } = readOutgoing(
        { to: personOf(person), content: `message ${index} of a campaign`, lane: 'campaign' },
        { id: `m_backlog_${first + index}`, merchantId: DEFAULT_MERCHANT_ID },
      );
      return { message, senderId: senderIdOf(person % numbers), problem: undefined };
    });
    // In one: recorded alone, they would count as handed out for a moment.
    await db.transaction().execute(async (trx) => {
      await recordMessages(trx, dialectOf(db), items, nowMs);
      await trx
        .updateTable('messages')
        .set({ nextAttemptAtMs: nowMs + dueInMs })
        .where(
          'id',
          'in',
          items.map(({ message }) => message.id),
        )
        .execute();
    });
  });
}

/** Makes everything due that is recorded. */
export async function makeDue(db: Executor): Promise<void> {
  await db
    .updateTable('messages')
    .set({ nextAttemptAtMs: Date.now() })
    .where('state', '=', 'queued')
    .execute();
}
