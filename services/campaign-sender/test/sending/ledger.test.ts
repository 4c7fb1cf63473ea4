import { createSqliteDatabase, silentLogger } from '@switchyard/test-kit';
import fc from 'fast-check';
import t from 'tap';
import { createGroupCommit } from '../../src/database/group-commit.ts';
import type { Store } from '../../src/database/scope.ts';
import type { AttemptState } from '../../src/database/tables.ts';
import { buildApp, loadServiceConfig } from '../../src/index.ts';
import { loadCandidates } from '../../src/messages/message-candidate.ts';
import { type MessageState, rankOf, receiptStates } from '../../src/messages/message-state.ts';
import { readOutgoing } from '../../src/messages/outgoing-message.ts';
import { recordMessages } from '../../src/messages/record-messages.ts';
import { applyReceipts } from '../../src/receipts/apply-statuses.ts';
import { readStatuses } from '../../src/receipts/read-status.ts';
import { createAttemptStore } from '../../src/sending/attempt-store.ts';
import type { CallResult } from '../../src/sending/cloud-api.ts';
import { decideAfterCall } from '../../src/sending/decide-after-call.ts';
import { unknownEnd } from '../../src/sending/reconcile-parked.ts';
import { startSurroundings } from '../helper.ts';
import { fillNumbers, senderIdOf } from '../load/fill-tables.ts';

const MESSAGES = 3;
/** Terminal, to be tried again, to be sent as a template instead, and no try spent. */
const codes = [131026, 131016, 131047, 130429] as const;
const wamidOf = (id: string, attempt: number) => `wamid_${id}_${attempt}`;
const ends: CallResult[] = [
  { kind: 'accepted', providerMessageId: '', tookMs: 1 },
  { kind: 'rejected', code: 131016, details: '', tookMs: 1 },
  { kind: 'rejected', code: 131026, details: '', tookMs: 1 },
  { kind: 'rejected', code: 130429, details: '', tookMs: 1 },
  { kind: 'unknown', cause: 'cut', tookMs: 1 },
  { kind: 'not-sent', cause: 'refused', tookMs: 1 },
];

type Event =
  | { kind: 'record' | 'begin' | 'cancel' | 'give-up'; message: number }
  | { kind: 'finish'; message: number; end: number }
  | {
      kind: 'receipts';
      list: {
        message: number;
        state: (typeof receiptStates)[number];
        isKeyed: boolean;
        /** How many calls before the latest. */
        back: number;
        code: number;
      }[];
    };

const message = fc.nat({ max: MESSAGES - 1 });
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constantFrom('record', 'begin', 'cancel', 'give-up'), message }),
  fc.record({ kind: fc.constant('finish' as const), message, end: fc.nat({ max: ends.length - 1 }) }),
  fc.record({
    kind: fc.constant('receipts' as const),
    list: fc.array(
      fc.record({
        message,
        state: fc.constantFrom(...receiptStates),
        isKeyed: fc.boolean(),
        back: fc.nat({ max: 2 }),
        code: fc.constantFrom(...codes),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  }),
);

const one = (state: (typeof receiptStates)[number], code: number): Event => ({
  kind: 'receipts',
  list: [{ message: 0, state, isKeyed: true, back: 0, code }],
});
/** A message that was cancelled after its call had failed stays so, though "sent" of that call comes late. */
const endedBeforeItsNextTry: Event[] = [
  { kind: 'begin', message: 0 },
  one('sent', 131026),
  one('failed', 131016),
  { kind: 'finish', message: 0, end: 0 },
  { kind: 'cancel', message: 0 },
  one('sent', 131026),
];

/** Alone or in a batch with other receipts, "sent" of a call that was refused means the same. */
const refusedAndSentAllTheSame: Event[] = [
  { kind: 'begin', message: 0 },
  { kind: 'finish', message: 0, end: 3 },
  {
    kind: 'receipts',
    list: (['sent', 'failed'] as const).map((state) => ({
      ...{ message: 0, state, isKeyed: true, back: 0, code: 131026 },
    })),
  },
];

t.test('any order and repetition of events keeps the sums and ranks of the ledger', async (t) => {
  const around = await startSurroundings(t, await createSqliteDatabase(t));
  const service = await buildApp(loadServiceConfig(around.env), { logger: silentLogger() });
  t.teardown(() => service.close());
  const { db } = service.database;
  await fillNumbers(db, around.env, 1, 80);
  let nowMs = 1_800_000_000_000;
  const enqueued: string[] = [];
  const store: Store = {
    db,
    dialect: 'sqlite',
    now: () => nowMs,
    inScope: (work) =>
      service.database.transaction((trx) =>
        work({
          trx,
          enqueue: (job) => {
            if (job.name === 'publish-events')
              for (const { id } of (job.payload as { events: { id: string }[] }).events) enqueued.push(id);
          },
        }),
      ),
  };
  const attempts = createAttemptStore(store, createGroupCommit(store.inScope), { add: () => undefined });
  const sender = { id: senderIdOf(0), wabaId: null };
  let run = 0;

  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 40 }), async (events) => {
      run += 1;
      enqueued.length = 0;
      const ids = Array.from({ length: MESSAGES }, (_, index) => `m_${run}_${index}`);
      const items = ids.map((id) => ({
        message: readOutgoing(
          {
            to: '+15551230000',
            content: 'hello',
            templateFallback: { name: 'order_update', language: { code: 'en_US' } },
          },
          { id, merchantId: 'default' },
        ).message,
        senderId: sender.id,
        problem: undefined,
      }));
      const record = (index: number) =>
        store.inScope(({ trx }) => recordMessages(trx, 'sqlite', [items[index]!], nowMs));
      for (const index of ids.keys()) await record(index);
      const begun = new Map<
        number,
        { candidate: Awaited<ReturnType<typeof find>>; attempt: number; end?: CallResult }
      >();
      const find = async (index: number) => (await loadCandidates(db, [ids[index]!])).get(ids[index]!)!;
      let before = await read();
      let failedBefore = new Set<string>();
      const keyed: Record<string, unknown>[] = [];
      const receive = (statuses: Record<string, unknown>[]) =>
        applyReceipts(store, { merchantId: 'default', sender, receipts: readStatuses(statuses, nowMs) });
      const readCalls = (state: AttemptState) =>
        db
          .selectFrom('message_attempts')
          .select(['messageId', 'attempt'])
          .where('messageId', 'in', ids)
          .where('state', '=', state)
          .execute();
      const readFailed = async () =>
        new Set((await readCalls('failed')).map(({ messageId, attempt }) => `${messageId}:${attempt}`));

      async function read() {
        const rows = await db
          .selectFrom('messages')
          .select(['id', 'state', 'nextAttemptAtMs', 'attempts'])
          .where('id', 'in', ids)
          .execute();
        return new Map(rows.map((row) => [row.id, row]));
      }

      async function apply(each: Event): Promise<void> {
        if (each.kind === 'receipts') {
          const statuses = each.list.flatMap(({ message: index, state, isKeyed, back, code }) => {
            const { attempts: latest } = before.get(ids[index]!)!;
            if (latest === 0) return [];
            const attempt = Math.max(1, latest - back);
            return [
              {
                id: wamidOf(ids[index]!, attempt),
                status: state,
                timestamp: '1800000000',
                ...(isKeyed ? { biz_opaque_callback_data: `${ids[index]}:${attempt}` } : {}),
                ...(state === 'failed' ? { errors: [{ code }] } : {}),
              },
            ];
          });
          keyed.push(...statuses.filter((status) => 'biz_opaque_callback_data' in status));
          await receive(statuses);
          return;
        }
        const candidate = await find(each.message);
        if (each.kind === 'record') await record(each.message);
        if (each.kind === 'begin' && candidate.state === 'queued') {
          const attempt = await attempts.begin(candidate);
          if (attempt && 'attempt' in attempt)
            begun.set(each.message, { candidate, attempt: attempt.attempt });
        }
        if (each.kind === 'finish') {
          const open = begun.get(each.message);
          if (!open) return;
          // A call ends once; writing that down may be repeated.
          open.end ??= ends[each.end]!;
          const { end } = open;
          const verdict = decideAfterCall(
            end.kind === 'accepted'
              ? { ...end, providerMessageId: wamidOf(ids[each.message]!, open.attempt) }
              : end,
            { attempts: open.attempt, failures: open.candidate.failures },
            { nowMs, startedAtMs: nowMs, graceMs: 90_000 },
          );
          await attempts.finish(open.candidate, { attempt: open.attempt, startedAtMs: nowMs }, verdict);
        }
        if (each.kind === 'cancel' && candidate.state === 'queued')
          await attempts.settle(candidate, {
            ...{ kind: 'settle', state: 'skipped', code: 'CANCELLED', reason: 'cancelled' },
          });
        if (each.kind === 'give-up' && candidate.state === 'parked')
          await attempts.settle(candidate, unknownEnd);
      }

      for (const each of [...events, ...events.filter(({ kind }) => kind === 'receipts').toReversed()]) {
        nowMs += 1;
        await apply(each);
        const after = await read();
        const failed = await readFailed();
        if (after.size !== MESSAGES) return false;
        // What counts as taken has a call that has not failed.
        const taken = new Set((await readCalls('accepted')).map(({ messageId }) => messageId));
        if ([...after].some(([id, { state }]) => state === 'accepted' && !taken.has(id))) return false;
        // A call fails by receipt once and for good.
        if ([...failedBefore].some((call) => !failed.has(call))) return false;
        for (const [id, row] of after) {
          const isOpen = ['queued', 'sending', 'parked'].includes(row.state);
          // Once settled, only a receipt moves a message, and only up; but one that has failed a call may have it sent again.
          const was = before.get(id)!;
          const wasOpen = ['queued', 'sending', 'parked'].includes(was.state);
          const isSentAgain =
            ['accepted', 'sent'].includes(was.state) &&
            row.state === 'queued' &&
            [...failed].some((call) => !failedBefore.has(call) && call.startsWith(`${id}:`));
          if (!wasOpen && isOpen && !isSentAgain) return false;
          if (
            !wasOpen &&
            !isSentAgain &&
            rankOf(row.state as MessageState) < rankOf(was.state as MessageState)
          )
            return false;
          if (row.attempts < was.attempts) return false;
          if (!isOpen && row.nextAttemptAtMs !== null) return false;
          if (row.state !== 'sending' && isOpen && row.nextAttemptAtMs === null) return false;
        }
        before = after;
        failedBefore = failed;
      }
      // The same receipts once more, in any batches: nothing changes.
      const books = async () =>
        JSON.stringify([
          await db.selectFrom('messages').selectAll().where('id', 'in', ids).orderBy('id').execute(),
          await db
            .selectFrom('message_timeline')
            .select(['messageId', 'state', 'attempt'])
            .where('messageId', 'in', ids)
            .orderBy('messageId')
            .orderBy('state')
            .orderBy('attempt')
            .execute(),
          [...(await readFailed())].toSorted(),
        ]);
      const closed = await books();
      const told = enqueued.length;
      await receive(keyed.toReversed());
      for (const status of keyed) await receive([status]);
      if ((await books()) !== closed || enqueued.length !== told) return false;
      const calls = await db
        .selectFrom('message_attempts')
        .select(['messageId', 'attempt', 'state'])
        .where('messageId', 'in', ids)
        .execute();
      for (const [id, row] of before) {
        const mine = calls.filter(({ messageId }) => messageId === id);
        // Every call has its row, and no more than one of a message is open.
        if (mine.length !== row.attempts) return false;
        if (mine.filter(({ state }) => state === 'open').length > 1) return false;
      }
      return new Set(enqueued).size === enqueued.length;
    }),
    { numRuns: 150, examples: [[endedBeforeItsNextTry], [refusedAndSentAllTheSame]] },
  );
  t.pass();
});
