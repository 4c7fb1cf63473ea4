import { dialectOf, insertIgnore, type SecretBox } from '@switchyard/database';
import { createId } from '@switchyard/runtime';
import type { Selectable } from 'kysely';
import type { Logger } from 'pino';
import { createBatcher } from '../database/create-batcher.ts';
import type { Executor } from '../database/scope.ts';
import type { SendersTable } from '../database/tables.ts';
import type { PortfolioLimit } from '../pacing/create-admission.ts';
import { DEFAULT_RATE, type Pace, paceOfRate, paceOfThroughput, type Rate } from '../pacing/pace.ts';
import { accountTokenContext } from './account-store.ts';
import { throughputOf } from './number-facts.ts';

/** A number as sending needs it. */
export interface Sender {
  id: string;
  merchantId: string;
  phoneNumberId: string;
  wabaId: string | null;
  isPaused: boolean;
  isDefault: boolean;
  /** Its own, else its account's; undefined where nobody gave one, or it can't be read. */
  accessToken: string | undefined;
  /** When the account's templates were last read whole; null where they never were. */
  templatesReadAtMs: number | null;
  pace: Pace;
  /** Of messages outside the recipient's window; undefined where no limit is known. */
  portfolio: PortfolioLimit | undefined;
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
const REMEMBERED_MOST = 50_000;
const LOADED_AT_ONCE = 200;

/** What a number's row is joined with. */
interface AccountPart {
  accountId: string | null;
  accountToken: string | null;
  templatesReadAtMs: number | null;
}

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
  // A number is read every two seconds, but its token opened only when it is another.
  const opened = new Map<string, { sealed: string; token: string }>();

  function remember(key: string, load: () => Promise<Sender | undefined>): Promise<Sender | undefined> {
    const known = remembered.get(key);
    if (known && known.untilMs > performance.now()) return known.sender;
    const sender = load();
    remembered.set(key, { untilMs: performance.now() + REMEMBERED_MS, sender });
    sender.catch(() => remembered.delete(key));
    if (remembered.size > REMEMBERED_MOST) remembered.clear();
    return sender;
  }

  /** The configured rate, but never more than the provider has said. */
  function paceOf(configured: number | null, level: string | null): Pace {
    if (configured === null) return unconfigured;
    return paceOfThroughput(Math.min(configured, throughputOf(level) ?? configured));
  }

  function openToken(id: string, sealed: string | null, context: string): string | undefined {
    if (sealed === null) return undefined;
    const known = opened.get(context);
    if (known?.sealed === sealed) return known.token;
    try {
      const token = secretBox.open(sealed, context);
      if (opened.size >= REMEMBERED_MOST) opened.clear();
      opened.set(context, { sealed, token });
      return token;
    } catch (error) {
      logger.error({ senderId: id, err: error }, 'the token of a number cannot be read');
      return undefined;
    }
  }

  /** Numbers with what their accounts add. */
  function select() {
    return db
      .selectFrom('senders as s')
      .leftJoin('whatsapp_accounts as a', (join) =>
        join.onRef('a.merchantId', '=', 's.merchantId').onRef('a.wabaId', '=', 's.wabaId'),
      )
      .selectAll('s')
      .select(['a.id as accountId', 'a.accessToken as accountToken', 'a.syncedAtMs as templatesReadAtMs']);
  }

  async function load(where: Partial<Record<'merchantId' | 'phoneNumberId', string>>) {
    let query = select();
    for (const [column, value] of Object.entries(where))
      query = query.where(`s.${column}` as 's.merchantId', '=', value);
    // A number that only webhooks know can't send, so it comes last.
    const row = await query
      .orderBy(({ and, eb }) => and([eb('s.accessToken', 'is', null), eb('a.accessToken', 'is', null)]))
      .orderBy('s.isDefault', 'desc')
      .orderBy('s.id')
      .limit(1)
      .executeTakeFirst();
    return row && toSender(row);
  }

  function toSender(row: Selectable<SendersTable> & AccountPart): Sender {
    const portfolioId = row.portfolioId ?? row.wabaId;
    const ownToken = openToken(row.id, row.accessToken, tokenContext(row.id));
    return {
      id: row.id,
      merchantId: row.merchantId,
      phoneNumberId: row.phoneNumberId,
      wabaId: row.wabaId,
      isPaused: row.state === 'paused',
      isDefault: row.isDefault === 1,
      accessToken:
        ownToken ??
        (row.accountId === null
          ? undefined
          : openToken(row.id, row.accountToken, accountTokenContext(row.accountId))),
      templatesReadAtMs: row.templatesReadAtMs,
      pace: paceOf(row.messagesPerSecond, row.throughputLevel),
      portfolio:
        row.peoplePerDay === null || portfolioId === null
          ? undefined
          : { id: portfolioId, peoplePerDay: row.peoplePerDay },
      lastStatusAtMs: row.lastStatusAtMs,
    };
  }

  /** Ten thousand numbers in use cost as many statements as ten. */
  const loadById = createBatcher<string, Sender | undefined>({
    maxItems: LOADED_AT_ONCE,
    async run(ids) {
      const rows = await select().where('s.id', 'in', ids).execute();
      const found = new Map(rows.map((row) => [row.id, toSender(row)]));
      return ids.map((id) => found.get(id));
    },
  });

  return {
    byId: (id) => remember(`id:${id}`, () => loadById.submit(id)),
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

/** Records a number that is not recorded yet, without a token. */
export async function recordNumber(
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
        portfolioId: null,
        peoplePerDay: null,
        probeAtMs: null,
        probes: null,
        isDefault: 0,
        lastStatusAtMs: 0,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
      },
    ],
    ['merchantId', 'phoneNumberId'],
  );
}
