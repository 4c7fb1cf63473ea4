import t from 'tap';
import { readResults } from '../../../scripts/testing/read-results.ts';

const failing = `TAP version 14
# Subtest: test/a.test.ts
    # Subtest: a door
        ok 1 - opens
        not ok 2 - closes
          ---
          at:
            lineNumber: 7
          ...
        1..2
        # failed 1 of 2 tests
    not ok 1 - a door # time=3ms
    ok 2 - a window # SKIP no glass here
    1..2
not ok 1 - test/a.test.ts # time=10ms
1..1
# { total: 3, pass: 1, fail: 1, skip: 1 }
`;

t.test('a failure is told once, under the tests around it, with its diagnostics', async (t) => {
  t.same(readResults(failing), {
    passed: 1,
    failed: 1,
    skipped: ['a window # SKIP no glass here'],
    failures: [
      {
        name: 'test/a.test.ts › a door › closes',
        diagnostics: ['at:', '  lineNumber: 7'],
      },
    ],
  });
});

t.test('tests that did not run, or not to their end, count as a failure', async (t) => {
  t.match(readResults(undefined), { passed: 0, failed: 1, problem: /did not run/ });
  t.match(readResults(failing.split('1..1')[0]), { failed: 1, problem: /cut off/ });
  t.match(readResults('TAP version 14\n1..0\n# { total: 0, pass: 0 }\n'), {
    failed: 1,
    problem: /has no tests/,
  });
  t.match(readResults('Bail out! no Redis\n# { total: 1, pass: 1 }\n'), {
    failed: 1,
    problem: 'Bail out! no Redis',
  });
});
