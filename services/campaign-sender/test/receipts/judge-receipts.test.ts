import fc from 'fast-check';
import t from 'tap';
import type { AttemptState } from '../../src/database/tables.ts';
import { type MessageState, rankOf, receiptStates } from '../../src/messages/message-state.ts';
import { judgeReceipts } from '../../src/receipts/judge-receipts.ts';
import type { AttemptReceipt } from '../../src/receipts/match-receipts.ts';

const NOW_MS = 1_800_000_000_000;
const base = { attempts: 1, failures: 0, expiresAtMs: null, templateFallback: null };
const receipt = (state: AttemptReceipt['state'], attempt = 1, code?: number): AttemptReceipt => ({
  ...{ providerMessageId: `wamid_${attempt}`, state, occurredAtMs: 0, key: undefined, detail: undefined },
  ...{ attempt, code: state === 'failed' ? (code ?? 131016) : undefined },
});
const judge = (
  message: Partial<Parameters<typeof judgeReceipts>[0]['message']> & { state: MessageState },
  receipts: AttemptReceipt[],
  calls: [number, AttemptState][],
) => judgeReceipts({ message: { ...base, ...message }, receipts, calls: new Map(calls) }, NOW_MS);

t.test('a failure by receipt gets the reaction of the same code in the answer', async (t) => {
  const failed = (code: number, more: object = {}) =>
    judge({ state: 'sent', ...more }, [receipt('failed', 1, code)], [[1, 'accepted']]);
  t.match(failed(131016), { after: 'queued', retry: { atMs: NOW_MS + 5000, isTry: true }, steps: [] });
  t.match(failed(131016, { failures: 2 }), { after: 'failed', retry: undefined });
  t.match(failed(131026), { after: 'failed', retry: undefined, steps: [{ state: 'failed' }] });
  t.match(failed(130429), { after: 'queued', retry: { isTry: false }, rule: { action: 'slow-number' } });
  t.match(failed(132015), { after: 'queued', retry: { isTry: false }, rule: { action: 'hold-template' } });
  t.match(failed(131031), { after: 'queued', retry: { isTry: false }, rule: { action: 'pause-account' } });
  t.match(failed(131047), { after: 'failed', retry: undefined });
  t.match(failed(131047, { templateFallback: '{}' }), {
    after: 'queued',
    retry: { atMs: NOW_MS, isTry: true, fallsBack: true },
  });
  t.ok(failed(131053).retry!.atMs > NOW_MS + 10_000, 'no process still has the id of no use');
  t.match(failed(131016, { expiresAtMs: NOW_MS }), { after: 'failed', retry: undefined });
});

t.test(
  'a failure counts once, for the call it belongs to, and not against what is known better',
  async (t) => {
    const failed = [receipt('failed')];
    t.match(judge({ state: 'queued' }, failed, [[1, 'failed']]), { after: 'queued', retry: undefined });
    t.match(judge({ state: 'delivered' }, failed, [[1, 'accepted']]), {
      after: 'delivered',
      retry: undefined,
    });
    t.match(judge({ state: 'expired' }, failed, [[1, 'unknown']]), { after: 'failed', retry: undefined });
    const second: [number, AttemptState][] = [
      [1, 'unknown'],
      [2, 'open'],
    ];
    const late = judge({ state: 'sending', attempts: 2 }, failed, second);
    t.match(late, { after: 'sending', retry: undefined });
    t.equal(late.calls.get(1), 'failed');
    t.match(
      judge(
        { state: 'queued', attempts: 2 },
        [receipt('failed', 1, 131026)],
        [
          [1, 'unknown'],
          [2, 'failed'],
        ],
      ),
      { after: 'queued', retry: undefined },
      'a later call has put it back already',
    );
    t.match(judge({ state: 'queued' }, [receipt('sent')], [[1, 'failed']]), { after: 'queued', steps: [] });
    t.match(judge({ state: 'queued' }, [receipt('delivered')], [[1, 'failed']]), { after: 'delivered' });
  },
);

t.test('any order and repetition of one call’s receipts, in any batches, ends the same', async (t) => {
  const codes = fc.constantFrom(131016, 131026, 130429, 131031);
  const states = fc.array(fc.constantFrom(...receiptStates), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(states, codes, fc.infiniteStream(fc.nat({ max: 3 })), (list, code, cuts) => {
      const end = (order: typeof list) => {
        let state: MessageState = 'accepted';
        let call: AttemptState = 'accepted';
        let retries = 0;
        for (let rest = [...order, ...order]; rest.length > 0; ) {
          const size = 1 + (cuts.next().value as number);
          const change = judge(
            { state },
            rest.slice(0, size).map((each) => receipt(each, 1, code)),
            [[1, call]],
          );
          state = change.after;
          call = change.calls.get(1) ?? call;
          if (change.retry) retries += 1;
          rest = rest.slice(size);
        }
        return { state, call, retries };
      };
      const [first, second] = [end(list), end(list.toReversed())];
      const best = Math.max(...list.map((state) => rankOf(state)));
      if (first.retries > 1 || second.retries > 1) return false;
      if (first.state !== second.state || first.call !== second.call) return false;
      if (best >= rankOf('delivered')) return rankOf(first.state) === best;
      if (!list.includes('failed')) return first.state === 'sent';
      return first.state === (code === 131026 ? 'failed' : 'queued');
    }),
    { numRuns: 500 },
  );
  t.pass();
});
