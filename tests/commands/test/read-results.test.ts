import t from 'tap';
import { readResults } from '../../../scripts/testing/read-results.ts';

const report = `TAP version 14
# Subtest: test/a.test.ts
    # Subtest: outer
        # Subtest: inner
            not ok 1 - one is two
              ---
              diff: |
                -2
                +1
              ...
            ok 2 - fine
            1..2
            # failed 1 of 2 tests
        not ok 1 - inner # time=2ms

        1..1
    not ok 1 - outer # time=3ms

    ok 2 - on MySQL # SKIP install mariadb-server
    1..2
not ok 1 - test/a.test.ts # time=9ms

not ok 2 - test/b.test.ts # time=1ms
  ---
  exitCode: 1
  ...
1..2
# { total: 4, pass: 1, fail: 2, skip: 1 }
# time=20ms
`;

t.test('the counts are those of the closing summary', async (t) => {
  t.match(readResults(report), { passed: 1, failed: 2, skipped: ['on MySQL # SKIP install mariadb-server'] });
  t.match(readResults('ok 1\n# { total: 7, pass: 7 }\n'), { passed: 7, failed: 0, problem: undefined });
});

t.test('each failure is shown once, where it happened, with its diagnostics', async (t) => {
  t.same(readResults(report).failures, [
    'test/a.test.ts › outer › inner › one is two',
    '    diff: |',
    '      -2',
    '      +1',
    'test/b.test.ts # time=1ms',
    '    exitCode: 1',
  ]);
});

t.test('a missing, empty or cut-off result is a failure', async (t) => {
  const cases: [string | undefined, RegExp][] = [
    [undefined, /did not run/],
    ['', /no summary/],
    [report.replace(/^# \{.*$/m, ''), /no summary/],
    ['1..0\n# { total: 0 }\n', /no tests/],
    ['Bail out! no memory\n# { total: 3, pass: 3 }\n', /no memory/],
  ];
  for (const [tap, problem] of cases) t.match(readResults(tap), { passed: 0, failed: 1, problem });
});
