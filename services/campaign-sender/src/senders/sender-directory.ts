import { dialectOf, insertIgnore, type SecretBox } from '@switchyard/database';
import { createId } from '@switchyard/runtime';
import type { Logger } from 'pino';
import type { Executor } from '../database/scope.ts';
import { DEFAULT_RATE, type Pace, paceOfRate, paceOfThroughput, type Rate } from '../pacing/pace.ts';

/** A number as sending needs it. */
export interface Sender {
  id: string;
  merchantId: string;
  phoneNumberId: string;
  wabaId: string | null;
  isPaused: boolean;
  isDefault: boolean;
  /** Undefined for a number that nobody gave a token, or whose token can't be read. */
  accessToken: string | undefined;
  pace: Pace;
  lastStatusAtMs: number;
}

/** Numbers, remembered for a few seconds: a message costs no query for its number. */
export interface SenderDirectory {
  byId(id: string): Promise<Sender | undefined>;
  /** The number to send from when the caller names none: the merchant's default, else its oldest. */
  defaultOf(merchantId: string): Promise<Sender | undefined>;
  /** The number a webhook came for. One never heard of is recorded, without a token. */
  byPhoneNumberId(
    merchantId: string,
    phoneNumberId: string,
    known?: { wabaId?: string | undefined; displayPhoneNumber?: string | undefined },
  ): Promise<Sender>;
  /** Forgets what is remembered, after a change in this process. Others notice within {@link REMEMBERED_MS}. */
  forget(): void;
}

/** The context a number's token is sealed with: it opens in no other row. */
export function tokenContext(senderId: string): string {
  return `senders.accessToken:${senderId}`;
}

/** How long a number is remembered. */
export const REMEMBERED_MS = 2000;

interface DirectoryOptions {
  db: Executor;
  secretBox: Pick<SecretBox, 'open'>;
  logger: Logger;
  /** For numbers without a configured throughput. */
  defaultRate?: Rate | undefined;
}

/** Makes the directory of numbers. */
export function createSenderDirectory({
  db,
  secretBox,
  logger,
  defaultRate,
}: DirectoryOptions): SenderDirectory {
  const unconfigured = paceOfRate(defaultRate ?? DEFAULT_RATE);
  const remembered = new Map<string, { untilMs: number; sender: Promise<Sender | undefined> }>();

  function remember(key: string, load: () => Promise<Sender | undefined>): Promise<Sender | undefined> {
    const known = remembered.get(key);
    if (known && known.untilMs > performance.now()) return known.sender;
    const sender = load();
    remembered.set(key, { untilMs: performance.now() + REMEMBERED_MS, sender });
    sender.catch(() => remembered.delete(key));
    if (remembered.size > 50_000) remembered.clear();
    return sender;
  }

  function openToken(id: string, sealed: string | null): string | undefined {
    if (sealed === null) return undefined;
    try {
      return secretBox.open(sealed, tokenContext(id));
    } catch (error) {
      logger.error({ senderId: id, err: error }, 'the token of a number cannot be read');
      return undefined;
    }
  }

  async function load(where: Partial<Record<'id' | 'merchantId' | 'phoneNumberId', string>>) {
    let query = db.selectFrom('senders').selectAll();
    for (const [column, value] of Object.entries(where)) query = query.where(column as 'id', '=', value);
    // A number that only webhooks know can't send, so it comes last.
    const row = await query
      .orderBy((where) => where('accessToken', 'is', null))
      .orderBy('isDefault', 'desc')
      .orderBy('id')
      .limit(1)
      .executeTakeFirst();
    if (!row) return undefined;
    return {
      id: row.id,
      merchantId: row.merchantId,
      phoneNumberId: row.phoneNumberId,
      wabaId: row.wabaId,
      isPaused: row.state === 'paused',
      isDefault: row.isDefault === 1,
      accessToken: openToken(row.id, row.accessToken),
      pace: row.messagesPerSecond === null ? unconfigured : paceOfThroughput(row.messagesPerSecond),
      lastStatusAtMs: row.lastStatusAtMs,
    };
  }

  return {
    byId: (id) => remember(`id:${id}`, () => load({ id })),
    defaultOf: (merchantId) => remember(`merchant:${merchantId}`, () => load({ merchantId })),
    async byPhoneNumberId(merchantId, phoneNumberId, known = {}) {
      const key = `number:${merchantId}:${phoneNumberId}`;
      const found = await remember(key, () => load({ merchantId, phoneNumberId }));
      if (found) return found;
      remembered.delete(key);
      await recordNumber(db, { merchantId, phoneNumberId, ...known });
      return (await remember(key, () => load({ merchantId, phoneNumberId })))!;
    },
    forget: () => remembered.clear(),
  };
}

async function recordNumber(
  db: Executor,
  number: {
    merchantId: string;
    phoneNumberId: string;
    wabaId?: string | undefined;
    displayPhoneNumber?: string | undefined;
  },
): Promise<void> {
  const nowMs = Date.now();
  await insertIgnore(
    db,
    dialectOf(db),
    'senders',
    [
      {
        id: createId('snd', nowMs),
        merchantId: number.merchantId,
        phoneNumberId: number.phoneNumberId,
        wabaId: number.wabaId ?? null,
        displayPhoneNumber: number.displayPhoneNumber ?? null,
        accessToken: null,
        state: 'active',
        pauseCode: null,
        pauseReason: null,
        pausedAtMs: null,
        messagesPerSecond: null,
        isDefault: 0,
        lastStatusAtMs: 0,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
      },
    ],
    ['merchantId', 'phoneNumberId'],
  );
}
