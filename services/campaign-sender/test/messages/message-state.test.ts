import fc from 'fast-check';
import t from 'tap';
import {
  afterReceipt,
  isSettled,
  type MessageState,
  messageStates,
  type ReceiptState,
  rankOf,
  receiptStates,
} from '../../src/messages/message-state.ts';
import { foldReceipts, type ReceiptChange } from '../../src/receipts/fold-receipts.ts';
import type { Receipt } from '../../src/receipts/read-status.ts';

const receipt = (state: ReceiptState): Receipt => ({
  providerMessageId: 'wamid',
  state,
  occurredAtMs: 0,
  key: undefined,
  code: undefined,
  detail: undefined,
});
const anyState = fc.constantFrom(...messageStates.filter((state) => state !== 'received'));
const anyReceipts = fc.array(fc.constantFrom(...receiptStates), { maxLength: 12 });

t.test('delivery only moves up: accepted < sent < failed < delivered < read < played', async (t) => {
  const order: MessageState[] = ['accepted', 'sent', 'failed', 'delivered', 'read', 'played'];
  t.strictSame(
    order.toSorted((a, b) => rankOf(a) - rankOf(b)),
    order,
  );
  for (const state of ['queued', 'sending', 'parked', 'skipped', 'expired'] as const)
    t.ok(rankOf(state) < rankOf('accepted'), `${state} yields to what the provider says`);
});

t.test('any order and repetition of receipts, in any batches, ends in the same state', async (t) => {
  fc.assert(
    fc.property(anyState, anyReceipts, fc.infiniteStream(fc.nat({ max: 4 })), (start, states, cuts) => {
      const highest = states.reduce<MessageState>(
        (best, state) => (rankOf(state) > rankOf(best) ? state : best),
        start,
      );
      let state: MessageState = start;
      for (let rest = [...states, ...states.toReversed()]; rest.length > 0; ) {
        const size = 1 + (cuts.next().value as number);
        const change: ReceiptChange = foldReceipts(state, rest.slice(0, size).map(receipt));
        if (rankOf(change.after) < rankOf(state)) return false;
        state = change.after;
        rest = rest.slice(size);
      }
      return state === highest;
    }),
  );
  t.pass();
});

t.test('sums over all states stay the number of messages, whatever receipts come', async (t) => {
  fc.assert(
    fc.property(
      fc.array(anyState, { minLength: 1, maxLength: 20 }),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(...receiptStates))),
      (starts, events) => {
        const states: MessageState[] = [...starts];
        const settled = () => states.filter(isSettled).length;
        for (const [at, state] of events) {
          const before = settled();
          const index = at % states.length;
          states[index] = afterReceipt(states[index]!, state);
          if (settled() < before) return false;
        }
        const sums = Map.groupBy(states, (state) => state);
        return [...sums.values()].reduce((sum, group) => sum + group.length, 0) === starts.length;
      },
    ),
  );
  t.pass();
});

t.test('each receipt that moves a message up is told once, from low to high', async (t) => {
  const change = foldReceipts(
    'accepted',
    ['read', 'delivered', 'sent', 'read'].map((state) => receipt(state as ReceiptState)),
  );
  t.strictSame(
    change.steps.map(({ state }) => state),
    ['sent', 'delivered', 'read'],
  );
  t.strictSame(foldReceipts('read', [receipt('failed')]).steps, []);
});
