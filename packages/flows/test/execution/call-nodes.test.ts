import t from 'tap';
import type { FlowDefinition } from '../../src/definitions/definition.ts';
import { flow, play, said } from './helper.ts';

const history = [{ role: 'user' as const, content: 'where is my order?' }];
const failure = { ok: false as const, code: 'AI_AWAY', message: 'no model answers' };

t.test('http-request asks with everything filled in, and maps the answer', async (t) => {
  const definition = flow({
    a: {
      kind: 'http-request',
      method: 'POST',
      url: 'https://example.com/{{ contact.id }}',
      headers: { 'x-name': '{{ contact.name }}' },
      json: { deep: ['{{ event.text }}', 1] },
      timeoutSeconds: 5,
      saveAs: 'answer',
      map: { total: 'order.total', missing: 'no.such' },
      next: 'end',
    },
  });
  const run = play(definition, { id: 'con_1', name: 'Ada' }).start();
  t.strictSame(run.call, {
    kind: 'http',
    method: 'POST',
    url: 'https://example.com/con_1',
    headers: { 'x-name': 'Ada' },
    json: { deep: ['hi', 1] },
    timeoutMs: 5000,
  });
  t.match(run.state.wait, { kind: 'call', untilMs: 35_000 });
  run.answer({ ok: true, value: { status: 201, body: { order: { total: 7 } } } });
  t.strictSame(run.state.variables, {
    answer: { status: 201, body: { order: { total: 7 } } },
    total: 7,
    missing: null,
  });
  t.strictSame(
    run.steps.map(({ number, note }) => [number, note]),
    [
      [1, undefined],
      [2, 'status 201'],
      [3, undefined],
    ],
  );
});

t.test(
  'a failed call takes the error branch, with its reason; without one the run stops there',
  async (t) => {
    const get = (more: object): FlowDefinition =>
      flow({
        a: { kind: 'http-request', url: 'https://example.com', ...more, next: 'end' },
        sorry: { kind: 'send', text: 'sorry: {{ error.code }} at {{ error.node }}', next: 'end' },
      });
    const refused = { ok: true as const, value: { status: 404 } };
    const branched = play(get({ onError: 'sorry' }))
      .start()
      .answer(refused);
    t.strictSame(branched.texts, ['sorry: HTTP_STATUS at a']);
    t.equal(branched.state.status, 'finished');
    t.equal(
      play(get({ acceptStatus: [404] }))
        .start()
        .answer(refused).state.status,
      'finished',
    );
    const timedOut = play(get({})).start().pass();
    t.match(timedOut.state, { status: 'failed', failure: { code: 'CALL_TIMED_OUT', node: 'a' } });
    const odd = play(get({})).start().answer({ ok: true, value: 'nonsense' });
    t.match(odd.state.failure, { code: 'CALL_RESULT_INVALID' });
    // Tried again, the call is a new one.
    odd.take({ kind: 'retry', atMs: 9000 });
    t.match(odd.state, { status: 'waiting', wait: { kind: 'call' } });
    t.equal(odd.effects.length, 2);
    t.not(odd.effects[0]!.step, odd.effects[1]!.step);
    t.equal(odd.answer({ ok: true, value: { status: 200 } }).state.status, 'finished');
  },
);

t.test('a header that is more than one line is refused', async (t) => {
  const definition = flow({
    a: { kind: 'http-request', url: 'https://e.com', headers: { x: '{{ event.text }}' }, next: 'end' },
  });
  t.match(play(definition).start(said('a\r\nhost: evil')).state.failure, { code: 'HEADER_INVALID' });
});

t.test('ai-reply is shown the conversation within a budget, and says what the model says', async (t) => {
  const definition = flow({
    a: {
      kind: 'ai-reply',
      instructions: 'You help {{ contact.name }}',
      historyTokens: 40,
      saveAs: 'reply',
      fallbackText: 'A colleague will answer',
      next: 'end',
    },
  });
  const long = Array.from({ length: 30 }, (_, index) => ({
    role: 'user' as const,
    content: `message ${index}`,
  }));
  const run = play(definition, { name: 'Ada' }).start(said('x'), { history: long });
  t.match(run.call, {
    kind: 'ai-reply',
    instructions: 'You help Ada',
    messages: [25, 26, 27, 28, 29].map((index) => ({ role: 'user', content: `message ${index}` })),
  });
  run.answer({ ok: true, value: { text: ' It is on its way. ' } });
  t.strictSame(run.texts, ['It is on its way.']);
  t.equal(run.state.variables.reply, 'It is on its way.');
  const ids = run.effects.map(({ step }) => step);
  t.equal(new Set(ids).size, ids.length, 'call and message have steps of their own');
});

t.test(
  'when a model fails, says nothing or takes too long, the fallback is said: never silence',
  async (t) => {
    const definition = flow({
      a: { kind: 'ai-reply', fallbackText: 'A colleague will answer', next: 'end' },
    });
    const begin = () => play(definition).start(said('x'), { history });
    for (const run of [
      begin().answer(failure),
      begin().answer({ ok: true, value: { text: '  ' } }),
      begin().answer({ ok: true, value: {} }),
      begin().pass(),
      play(definition).start(said('x')),
    ]) {
      t.strictSame(run.texts, ['A colleague will answer']);
      t.equal(run.state.status, 'finished');
    }
    const branching = flow({
      a: { kind: 'ai-reply', fallbackText: 'unused', onError: 'b', next: 'end' },
      b: { kind: 'hand-over' },
    });
    const run = play(branching).start(said('x'), { history }).answer(failure);
    t.match(run.effects.at(-1), { kind: 'handover' });
  },
);

t.test(
  'ai-classify goes where the label leads; what is no label, or a failure, leads to otherwise',
  async (t) => {
    const definition = flow({
      a: {
        kind: 'ai-classify',
        labels: [
          { label: 'order', description: 'asks for an order', next: 'order' },
          { label: 'other', next: 'end' },
        ],
        saveAs: 'topic',
        otherwise: 'lost',
      },
      order: { kind: 'send', text: 'order', next: 'end' },
      lost: { kind: 'send', text: 'lost', next: 'end' },
    });
    const begin = () => play(definition).start(said('where is it?'));
    t.match(begin().call, {
      kind: 'ai-classify',
      text: 'where is it?',
      labels: ['order', 'other'],
      instructions: 'order: asks for an order',
    });
    t.strictSame(begin().answer({ ok: true, value: { label: 'order' } }).texts, ['order']);
    t.strictSame(begin().answer({ ok: true, value: { label: 'poetry' } }).texts, ['lost']);
    t.strictSame(begin().answer(failure).texts, ['lost']);
    t.strictSame(begin().pass().texts, ['lost']);
    t.strictSame(play(definition).start(said(' ')).texts, ['lost'], 'nothing to read');
  },
);

t.test('ai-extract and transcribe keep what they are given, or take the error branch', async (t) => {
  const definition = flow({
    a: { kind: 'ask', text: 'Send a voice message', saveAs: 'voice', expect: 'media', next: 'b' },
    b: { kind: 'transcribe', media: 'voice', saveAs: 'text', onError: 'sorry', next: 'c' },
    c: {
      kind: 'ai-extract',
      text: '{{ variables.text }}',
      schema: { type: 'object' },
      saveAs: 'values',
      onError: 'sorry',
      next: 'end',
    },
    sorry: { kind: 'send', text: '{{ error.code }}', next: 'end' },
  });
  const voice = { type: 'audio', media: { path: 'm/1.ogg', mimeType: 'audio/ogg' } };
  const begin = () => play(definition).start().hear(voice);
  t.match(begin().call, { kind: 'transcribe', audio: { path: 'm/1.ogg', mimeType: 'audio/ogg' } });
  const extracting = begin().answer({ ok: true, value: { text: 'two shirts' } });
  t.match(extracting.call, { kind: 'ai-classify', text: 'two shirts', schema: { type: 'object' } });
  extracting.answer({ ok: true, value: { values: { count: 2 } } });
  t.match(extracting.state.variables, { text: 'two shirts', values: { count: 2 } });
  t.strictSame(begin().answer(failure).texts.at(-1), 'AI_AWAY');
  t.strictSame(
    play(
      flow({ ...definition.nodes, a: { kind: 'set-variable', name: 'voice', value: 'no file', next: 'b' } }),
    )
      .start()
      .texts.at(-1),
    'MEDIA_MISSING',
  );
});

t.test('shopify-lookup keeps the record, or goes where nothing is found', async (t) => {
  const definition = flow({
    a: {
      kind: 'shopify-lookup',
      resource: 'order',
      by: 'name',
      value: '{{ event.text }}',
      saveAs: 'order',
      onNotFound: 'none',
      next: 'end',
    },
    none: { kind: 'send', text: 'none', next: 'end' },
  });
  const begin = () => play(definition).start(said('#17'));
  t.strictSame(begin().call, { kind: 'shopify', resource: 'order', by: 'name', value: '#17' });
  const found = begin().answer({ ok: true, value: { record: { name: '#17' } } });
  t.match(found.state.variables, { order: { name: '#17' } });
  t.strictSame(begin().answer({ ok: true, value: { record: null } }).texts, ['none']);
  t.match(play(definition).start(said(' ')).state.failure, { code: 'VALUE_EMPTY' });
});
