import t from 'tap';
import { checkDefinition, findWarnings } from '../../src/definitions/check-definition.ts';

const end = { kind: 'end' };
const flow = (nodes: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  name: 'Test',
  triggers: [],
  start: 'a',
  nodes: { end, ...nodes },
  ...more,
});

t.test('a problem names the field of the node, of whatever kind', async (t) => {
  const cases: [node: Record<string, unknown>, path: string, message: RegExp][] = [
    [{ kind: 'send', next: 'end' }, 'text', /"text" or a "message"/],
    [{ kind: 'send', text: 'x', header: 'h', next: 'end' }, 'header', /need "buttons" or a "list"/],
    [{ kind: 'send', text: 'x', txet: 'y', next: 'end' }, '', /"txet"/],
    [{ kind: 'send', text: 7, next: 'end' }, 'text', /string/],
    [
      { kind: 'send', text: 'x', buttons: [{ id: 'a', title: 'A', next: 'end' }], next: 'end' },
      'buttons',
      /lead nowhere/,
    ],
    [{ kind: 'ask', text: '?', saveAs: 'x', expect: 'pattern', next: 'end' }, 'pattern', /goes with/],
    [
      { kind: 'ask', text: '?', saveAs: 'x', expect: 'pattern', pattern: '(', next: 'end' },
      'pattern',
      /no|not a valid pattern/,
    ],
    [{ kind: 'wait-until', next: 'end' }, 'time', /either "at" or "time"/],
    [{ kind: 'wait-until', time: '25:00', next: 'end' }, 'time', /match/],
    [{ kind: 'wait-until', time: '09:00', timeZone: 'Mars/Base', next: 'end' }, 'timeZone', /no time zone/],
    [{ kind: 'business-hours', hours: {}, open: 'end' }, 'hours', /a day that is open/],
    [
      { kind: 'business-hours', hours: { mon: [{ from: '17:00', to: '09:00' }] }, open: 'end' },
      'hours/mon',
      /end after it begins/,
    ],
    [{ kind: 'http-request', url: 'ftp://x', next: 'end' }, 'url', /http or https/],
    [{ kind: 'http-request', url: 'https://x', body: 'x', next: 'end' }, 'method', /GET has no body/],
    [{ kind: 'ai-reply', next: 'end' }, 'onError', /when the model fails/],
    [{ kind: 'ai-extract', schema: {}, saveAs: 'x', next: 'end' }, '', /onError/],
    [{ kind: 'send-email', to: 'a@b.co', subject: 's', next: 'end' }, 'text', /"text" or "html"/],
    [{ kind: 'loop', body: 'end', next: 'end' }, 'times', /either/],
    [{ kind: 'hand-over', onTimeout: 'end' }, 'onTimeout', /needs "timeoutSeconds"/],
    [{ kind: 'http-request', url: 'https://x/{{ oops', next: 'end' }, 'url', /not a valid template/],
    [{ kind: 'send', text: '{{ user.name }}', next: 'end' }, 'text', /reads "user"/],
    [{ kind: 'send', text: '{{ input.who }}', next: 'end' }, 'text', /does not declare/],
    [
      {
        kind: 'branch',
        cases: [{ when: { variable: 'x', operator: 'at-least', value: 'much' }, next: 'end' }],
        otherwise: 'end',
      },
      'cases/0/when/value',
      /must be a number/,
    ],
    [
      {
        kind: 'branch',
        cases: [{ when: { all: [{ variable: 'x', operator: 'in', value: 'a' }] }, next: 'end' }],
        otherwise: 'end',
      },
      'cases/0/when/all/0/value',
      /must be a list/,
    ],
  ];
  for (const [node, field, message] of cases) {
    const problems = checkDefinition(flow({ a: node }));
    const path = field === '' ? '/nodes/a' : `/nodes/a/${field}`;
    t.ok(
      problems.some((each) => each.node === 'a' && each.path === path && message.test(each.message)),
      `${JSON.stringify(node)}: ${JSON.stringify(problems)}`,
    );
  }
});

t.test('values that are used as what they can not be are found', async (t) => {
  const ask = (expect: string, more: object = {}) => ({
    kind: 'ask',
    text: '?',
    saveAs: 'x',
    expect,
    ...more,
    next: 'b',
  });
  const when = (operator: string, value: unknown) => ({
    kind: 'branch',
    cases: [{ when: { variable: 'x', operator, value }, next: 'end' }],
    otherwise: 'end',
  });
  const buttons = [
    { id: 'yes', title: 'Yes' },
    { id: 'no', title: 'No' },
  ];
  const cases: [a: object, b: object, RegExp | undefined][] = [
    [ask('yes-no'), when('greater-than', 5), /no size to compare/],
    [ask('number'), when('greater-than', 5), undefined],
    [ask('button', { buttons }), when('equals', 'maybe'), /is never "maybe", but yes, no/],
    [ask('button', { buttons }), when('equals', 'YES'), undefined],
    [ask('number'), { kind: 'loop', over: 'x', body: 'end', next: 'end' }, /must be a list/],
    [
      ask('text'),
      { kind: 'transcribe', media: 'x', saveAs: 'y', onError: 'end', next: 'end' },
      /a media file/,
    ],
    [ask('media'), { kind: 'transcribe', media: 'x', saveAs: 'y', onError: 'end', next: 'end' }, undefined],
  ];
  for (const [a, b, message] of cases) {
    const problems = checkDefinition(flow({ a, b }));
    if (message) t.match(problems, [{ node: 'b', message }]);
    else t.strictSame(problems, []);
  }
  const unset = { a: { kind: 'send', text: '{{ variables.oops }}', next: 'end' } };
  t.match(checkDefinition(flow(unset, { inputs: {} })), [{ node: 'a', message: /which nothing sets/ }]);
  t.strictSame(checkDefinition(flow(unset)), [], 'a flow that declares no inputs may be given anything');
});

t.test('triggers, limits and zones are checked', async (t) => {
  const trigger = (each: unknown) =>
    checkDefinition(flow({ a: end }, { triggers: [each], nodes: { a: end } }));
  t.match(trigger({ kind: 'schedule', cron: '61 * * * *', audience: { tag: 'x' } }), [
    { path: '/triggers/0/cron' },
  ]);
  t.match(trigger({ kind: 'schedule', cron: '0 0 30 2 *', audience: { tag: 'x' } }), [
    { path: '/triggers/0/cron', message: /never comes/ },
  ]);
  t.match(trigger({ kind: 'schedule', cron: '0 9 * * 1', timeZone: 'X/Y', audience: { tag: 'x' } }), [
    { path: '/triggers/0/timeZone' },
  ]);
  t.match(trigger({ kind: 'pattern', pattern: '[' }), [{ path: '/triggers/0/pattern' }]);
  const inputs = { who: { type: 'text', required: true } };
  const needing = (each: unknown) =>
    checkDefinition(flow({ a: end }, { nodes: { a: end }, inputs, triggers: [each] }));
  t.match(needing({ kind: 'any-message' }), [{ path: '/triggers/0/kind', message: /no input "who"/ }]);
  t.strictSame(needing({ kind: 'api' }), []);
  const weekly = { kind: 'schedule', cron: '0 9 * * 1', audience: { tag: 'x' } };
  t.match(needing(weekly), [{ path: '/triggers/0/kind' }]);
  t.strictSame(needing({ ...weekly, input: { who: 'all' } }), []);
  t.match(trigger({ kind: 'guess' }), [{ path: '/triggers/0/kind', message: /keyword, pattern/ }]);
  t.match(trigger({ kind: 'shopify', topics: [] }), [{ path: '/triggers/0/topics' }]);
  t.match(checkDefinition(flow({ a: end }, { nodes: { a: end }, timeZone: 'Nowhere' })), [
    { path: '/timeZone' },
  ]);
});

t.test('a loop node may be gone round, but not for ever', async (t) => {
  const loop = { kind: 'loop', times: 3, body: 'b', next: 'end' };
  const send = (next: string) => ({ kind: 'send', text: 'x', next });
  t.strictSame(checkDefinition(flow({ a: loop, b: send('a') })), []);
  t.match(checkDefinition(flow({ a: { ...loop, next: 'c' }, b: send('a'), c: send('a') })), [
    { message: 'can never be reached', node: 'end' },
    { message: /loop in which nothing waits/ },
  ]);
  t.match(
    checkDefinition(flow({ a: { kind: 'http-request', url: 'https://x', onError: 'a', next: 'end' } })),
    [{ node: 'a', message: /nothing waits/ }],
    'a call is no wait',
  );
});

t.test('what the surroundings know is checked: templates and flows to call', async (t) => {
  const template = {
    kind: 'send',
    message: { type: 'template', content: { name: 'promo', language: { code: 'en' } } },
    next: 'end',
  };
  t.match(checkDefinition(flow({ a: template }), { templates: new Map([['other', []]]) }), [
    { node: 'a', message: 'there is no message template "promo"' },
  ]);
  t.strictSame(checkDefinition(flow({ a: template }), { templates: new Map([['promo', []]]) }), []);
  const call = { kind: 'sub-flow', flowId: 'flow_1', input: { extra: 'x' }, next: 'end' };
  t.match(checkDefinition(flow({ a: call }), { flows: new Map() }), [{ node: 'a', path: '/nodes/a/flowId' }]);
  const inputs = { who: { type: 'text' as const, required: true } };
  t.match(checkDefinition(flow({ a: call }), { flows: new Map([['flow_1', { inputs }]]) }), [
    { path: '/nodes/a/input' },
    { path: '/nodes/a/input/extra' },
  ]);
});

t.test(
  'a message template must be there in its language, not be turned down, and get as many values as it takes',
  async (t) => {
    const named = (code: string, components: object[] = []) => ({
      kind: 'send',
      text: 'Hi',
      templateFallback: { name: 'promo', language: { code }, components },
      next: 'end',
    });
    const body = (...texts: string[]) => ({
      type: 'body',
      parameters: texts.map((text) => ({ type: 'text', text })),
    });
    const button = { type: 'button', sub_type: 'url', index: '0', parameters: [{ type: 'text', text: 'x' }] };
    const known = (status: string) =>
      new Map([['promo', [{ language: 'en_US', status, parameters: { header: 0, body: 2, buttons: 1 } }]]]);
    const problems = (node: object, status = 'APPROVED') =>
      checkDefinition(flow({ a: node }), { templates: known(status) }).map(({ path, message }) => [
        path,
        message,
      ]);
    const path = '/nodes/a/templateFallback';
    const right = named('en-US', [body('Ada', '{{ variables.x }}'), button]);
    t.strictSame(problems(right), []);
    t.strictSame(problems(named('de')), [
      [path, 'there is no message template "promo" in "de", but in en_US'],
    ]);
    t.strictSame(problems(named('en_US', [body('Ada')])), [
      [path, 'the body of "promo" takes 2 values, not 1'],
      [path, 'the buttons of "promo" take 1 values, not 0'],
    ]);
    t.strictSame(problems(right, 'REJECTED'), [[path, 'the message template "promo" (en_US) is REJECTED']]);
    t.strictSame(problems(right, 'PAUSED'), [], 'what passes by itself is no error');
    const definition = flow({ a: right }) as never;
    t.match(findWarnings(definition, { templates: known('PAUSED') }), [
      { node: 'a', path, message: /is PAUSED/ },
    ]);
    t.strictSame(findWarnings(definition, { templates: known('APPROVED') }), []);
    t.strictSame(checkDefinition(flow({ a: named('de') })), [], 'what is not known is not checked');
    const written = {
      kind: 'send',
      message: { type: 'template', content: { name: 'promo', language: { code: '{{ contact.language }}' } } },
      next: 'end',
    };
    t.strictSame(problems(written), [], 'nor is what the run decides');
  },
);

t.test(
  'secrets are read by HTTP requests alone, by a name that there is, and through no filter',
  async (t) => {
    const ask = (text: string) => ({
      kind: 'http-request',
      url: 'https://shop.example',
      headers: { key: text },
      next: 'end',
    });
    const problems = (node: object) =>
      checkDefinition(flow({ a: node }), { secrets: new Set(['key']) }).map(({ message }) => message);
    t.strictSame(problems(ask('Bearer {{ secrets.key }}')), []);
    t.strictSame(problems(ask('{{ secrets.other }}')), ['there is no secret "other"']);
    t.strictSame(problems(ask('{{ secrets }}')), ['there is no secret ""']);
    t.match(problems(ask('{{ secrets.key | upcase }}')), [/filter/]);
    t.match(problems({ kind: 'send', text: '{{ secrets.key }}', next: 'end' }), [/reads "secrets"/]);
    t.strictSame(
      checkDefinition(flow({ a: ask('{{ secrets.other }}') })),
      [],
      'what is not known is not checked',
    );
  },
);
