import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { listedCodes, type ProviderAction, ruleForCode } from '../../src/sending/provider-errors.ts';

const file = new URL('../../docs/provider-errors.md', import.meta.url);

/** What becomes of the message, and of whom else the error concerns. */
const reactions: Readonly<Record<ProviderAction, readonly [message: string, others: string]>> = {
  retry: [
    'tried again after 5 s, 10 s; failed after 3 tries',
    'enough of them open the circuit of the number',
  ],
  'slow-number': [
    'waits, no try spent',
    "the number's rate is halved; nearly all of it is back in ten seconds, the rest carefully",
  ],
  'slow-app': ['waits, no try spent', 'every number of the installation rests for a minute'],
  'slow-account': ['waits, no try spent', 'every number of the account rests for a minute'],
  'wait-number': ['waits, no try spent', 'the number rests for 30 s'],
  'delay-recipient': ['waits, no try spent', 'this recipient gets nothing for 4^X s'],
  fail: ['failed', ''],
  'fail-and-suppress': ['failed', 'the person is suppressed'],
  'fail-window': ['failed', 'a template may be sent instead'],
  'hold-template': ['waits', 'nothing of this template goes out until a webhook releases it'],
  'drop-template': ['waits, then fails', 'nothing of this template goes out any more'],
  'pause-sender': ['waits', 'the number sends nothing until a probe, a webhook or a person resumes it'],
  'pause-account': ['waits', 'every number of the account, likewise'],
};

function render(): string {
  const rows = listedCodes.map((code) => {
    const { action, meaning } = ruleForCode(code);
    const [message, others] = reactions[action];
    return `| ${code} | ${meaning} | \`${action}\` | ${message} | ${others} |`;
  });
  const permission = ruleForCode(250);
  const [message, others] = reactions[permission.action];
  return `# What is done about errors of the Cloud API

Written from \`src/sending/provider-errors.ts\` by \`UPDATE_DOCS=1\` and \`test/sending/provider-errors-doc.test.ts\`, which holds this page to it.
Only the code counts: titles and HTTP statuses change. A code that is not listed fails its message rather than to repeat it.

| code | meaning | action | the message | others |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
| 200–299 | ${permission.meaning} | \`${permission.action}\` | ${message} | ${others} |
`;
}

t.test('the page of errors is the table in the code', async (t) => {
  if (process.env.UPDATE_DOCS) writeFileSync(file, render());
  t.equal(readFileSync(file, 'utf8'), render(), 'run the test with UPDATE_DOCS=1 to write it anew');
});
