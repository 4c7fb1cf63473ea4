import { CodedError, type Outcome } from '@switchyard/errors';
import fc from 'fast-check';
import t from 'tap';
import { judge, pauseMs } from '../src/outcome.ts';

const attempts = fc.record({
  attempt: fc.integer({ min: 1, max: 10 }),
  maxAttempts: fc.integer({ min: 1, max: 10 }),
  putOff: fc.nat({ max: 10_000 }),
});

const coded = fc
  .record({
    outcome: fc.constantFrom<Outcome>('retry', 'later', 'never'),
    delayMs: fc.option(fc.nat(), { nil: undefined }),
  })
  .map(
    ({ outcome, delayMs }) =>
      new CodedError(
        { code: 'SOME_CODE', statusCode: 500, outcome },
        'because',
        delayMs === undefined ? {} : { delayMs },
      ),
  );

t.test('every failure has exactly one outcome, and only the last attempt is exhausted', async (t) => {
  fc.assert(
    fc.property(fc.oneof(coded, fc.anything()), attempts, (error, attempt) => {
      const { outcome } = judge(error, attempt);
      const declared = error instanceof CodedError ? error.outcome : 'retry';
      if (declared !== 'retry') return outcome === declared;
      return outcome === (attempt.attempt >= attempt.maxAttempts ? 'exhausted' : 'retry');
    }),
  );
  t.pass();
});

t.test('a pause grows from 1 s to 60 s, unless the error names one', async (t) => {
  t.same([0, 1, 2, 3, 4, 5, 6, 7].map(pauseMs), [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  fc.assert(
    fc.property(coded, attempts, (error, attempt) => {
      const { outcome, delayMs } = judge(error, attempt);
      if (outcome !== 'later') return delayMs === 0;
      return error.delayMs === undefined ? delayMs >= 1000 && delayMs <= 60_000 : delayMs === error.delayMs;
    }),
  );
});
