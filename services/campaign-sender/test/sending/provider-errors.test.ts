import t from 'tap';
import { decideAfterCall } from '../../src/sending/decide-after-call.ts';
import {
  isProviderTrouble,
  listedCodes,
  RETRY_LIMIT,
  ruleForCode,
} from '../../src/sending/provider-errors.ts';

const times = { nowMs: 10_000, startedAtMs: 9000, graceMs: 90_000 };
const refused = (code: number, failures = 0) =>
  decideAfterCall(
    { kind: 'rejected', code, details: 'why', tookMs: 1 },
    { attempts: failures + 1, failures },
    times,
  );

t.test('every documented error has its reaction', async (t) => {
  const expected: Record<string, number[]> = {
    'pause-sender': [0, 190, 3, 10, 200, 250, 299, 131005, 33, 131045, 133010, 131048],
    retry: [1, 2, 131000, 131016, 133004, 131052, 131053],
    'slow-app': [4],
    'slow-account': [80007],
    'slow-number': [130429],
    'wait-number': [131057, 133016, 132069],
    'delay-recipient': [131056],
    'fail-and-suppress': [131050],
    'fail-window': [131047],
    'hold-template': [132015],
    'drop-template': [132016],
    'pause-account': [368, 131031, 130497, 131042, 131064],
    fail: [
      131049, 130472, 130403, 131026, 131062, 131021, 131008, 131009, 100, 131051, 135000, 132000, 132001,
      132005, 132007, 132012, 132068, 131063,
    ],
  };
  for (const [action, codes] of Object.entries(expected))
    for (const code of codes) t.equal(ruleForCode(code).action, action, `${code}`);
  const all = Object.values(expected).flat();
  t.strictSame(
    listedCodes.filter((code) => !all.includes(code)),
    [],
    'the table holds nothing untested',
  );
});

t.test('a code nobody knows fails the message rather than to repeat it', async (t) => {
  t.equal(ruleForCode(987_654).action, 'fail');
  t.match(refused(987_654).message, { state: 'failed', code: '987654' });
});

t.test('trouble of the provider is tried again with growing pauses, and then given up', async (t) => {
  t.strictSame(refused(131016).message, { state: 'queued', wakeAtMs: 15_000, isTry: true });
  t.strictSame(refused(131016, 1).message, { state: 'queued', wakeAtMs: 20_000, isTry: true });
  t.match(refused(131016, RETRY_LIMIT - 1).message, { state: 'failed', code: '131016' });
  t.ok(isProviderTrouble(131016));
  t.notOk(isProviderTrouble(131026));
});

t.test('a rate is waited for without spending a try, however often', async (t) => {
  for (const code of [130429, 131056, 131057, 4])
    t.match(refused(code, 99).message, { state: 'queued', isTry: false }, `${code}`);
});

t.test('an unknown end parks until the grace counted from the start of the call', async (t) => {
  const verdict = decideAfterCall(
    { kind: 'unknown', cause: 'reset', tookMs: 1 },
    { attempts: 1, failures: 0 },
    times,
  );
  t.strictSame(verdict.message, { state: 'parked', wakeAtMs: 99_000 });
  t.equal(verdict.attempt.state, 'parked');
});
