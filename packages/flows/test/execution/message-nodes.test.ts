import t from 'tap';
import type { NodeOf } from '../../src/definitions/definition.ts';
import { flow, play, said } from './helper.ts';

t.test('send fills in messages of every kind, and what goes out when the window is closed', async (t) => {
  const sent = (node: Partial<NodeOf<'send'>>) =>
    play(flow({ a: { kind: 'send', ...node, next: 'end' } }), { name: 'Ada' }).start().effects[0];
  t.match(
    sent({ message: { type: 'image', content: { link: 'https://e.com/{{ contact.name }}' } }, text: 'Hi' }),
    {
      type: 'image',
      content: { link: 'https://e.com/Ada', caption: 'Hi' },
      text: 'Hi',
    },
  );
  t.match(
    sent({
      message: {
        type: 'template',
        content: {
          name: 'order_update',
          language: { code: 'en' },
          components: [{ type: 'body', parameters: [{ type: 'text', text: '{{ contact.name }}' }] }],
        },
      },
    }),
    { content: { components: [{ parameters: [{ text: 'Ada' }] }] }, text: '[template order_update]' },
  );
  t.match(
    sent({
      text: 'Hi {{ contact.name }}',
      header: 'News',
      footer: 'Bye',
      list: { button: 'Choose', sections: [{ rows: [{ id: 'a', title: 'For {{ contact.name }}' }] }] },
      templateFallback: {
        name: 'hello',
        language: { code: 'en' },
        components: [{ type: 'body', parameters: [{ type: 'text', text: '{{ contact.name }}' }] }],
      },
    }),
    {
      type: 'interactive',
      content: {
        type: 'list',
        header: { type: 'text', text: 'News' },
        body: { text: 'Hi Ada' },
        footer: { text: 'Bye' },
        action: { button: 'Choose', sections: [{ rows: [{ id: 'a', title: 'For Ada' }] }] },
      },
      templateFallback: { name: 'hello', components: [{ parameters: [{ text: 'Ada' }] }] },
    },
  );
});

t.test('what a choice leads to goes before next, tapped or typed', async (t) => {
  const definition = flow({
    a: {
      kind: 'ask',
      text: '?',
      buttons: [
        { id: 'yes', title: 'Yes', next: 'b' },
        { id: 'no', title: 'No' },
      ],
      saveAs: 'x',
      next: 'end',
    },
    b: { kind: 'end' },
  });
  t.equal(
    play(definition)
      .start()
      .hear(said('Yes', { replyId: 'yes' }))
      .nodes.at(-1),
    'b',
  );
  t.equal(play(definition).start().say(' yes ').nodes.at(-1), 'b');
  t.equal(play(definition).start().say('no').nodes.at(-1), 'end');
});

t.test('answers of every type are read, and others do not count', async (t) => {
  const answer = (more: Partial<NodeOf<'ask'>>, event = said('')) => {
    const run = play(
      flow({
        a: { kind: 'ask', text: '?', saveAs: 'x', onInvalid: 'bad', ...more, next: 'end' },
        bad: { kind: 'end' },
      }),
    );
    return run.start().hear(event).state.variables.x;
  };
  t.equal(answer({ expect: 'phone' }, said('+49 (151) 123-456')), '+49151123456');
  t.equal(answer({ expect: 'phone' }, said('call me')), undefined);
  t.equal(answer({ expect: 'date' }, said('24.12.2026')), '2026-12-24');
  t.equal(answer({ expect: 'date' }, said('2026-02-29')), undefined);
  t.equal(answer({ expect: 'yes-no' }, said('Ja!')), true);
  t.equal(answer({ expect: 'yes-no' }, said('nope')), false);
  t.equal(answer({ expect: 'yes-no' }, said('hm')), undefined);
  t.equal(answer({ expect: 'number', minimum: 1, maximum: 5 }, said('5')), 5);
  t.equal(answer({ expect: 'number', minimum: 1, maximum: 5 }, said('6')), undefined);
  t.equal(answer({ expect: 'pattern', pattern: '[a-z]{2}[0-9]+' }, said('AB12')), 'AB12');
  t.equal(answer({ expect: 'pattern', pattern: '[a-z]{2}' }, said('abc')), undefined);
  const place = { latitude: 1, longitude: 2 };
  t.strictSame(answer({ expect: 'location' }, { type: 'location', location: place } as never), place);
  // A pattern that makes other engines run for ever.
  t.equal(answer({ expect: 'pattern', pattern: '(a+)+$' }, said(`${'a'.repeat(4000)}b`)), undefined);
});

t.test('what is said in pieces is one answer once the person pauses; a tap is one at once', async (t) => {
  const definition = flow({
    a: {
      kind: 'ask',
      text: '?',
      saveAs: 'x',
      buttons: [{ id: 'stop', title: 'Stop' }],
      gatherSeconds: 3,
      timeoutSeconds: 60,
      onTimeout: 'end',
      next: 'b',
    },
    b: { kind: 'send', text: '{{ event.text }}', next: 'end' },
  });
  const run = play(definition).start().say('one', 1000);
  t.match(run.state.wait, { kind: 'gather', untilMs: 4000 });
  const first = run.state.wait!.id;
  run.say('two', 2000);
  t.not(run.state.wait!.id, first, 'a late timer of the first pause ends nothing');
  t.strictSame(run.take({ kind: 'timer', atMs: 4000, waitId: first }).texts, ['?']);
  run.pass();
  t.equal(run.state.variables.x, 'one\ntwo');
  t.strictSame(run.texts, ['?', 'one\ntwo']);
  t.equal(
    play(definition)
      .start()
      .hear(said('Stop', { replyId: 'stop' })).state.variables.x,
    'stop',
  );
});

t.test('a flow that gathers begins once, with all that was said', async (t) => {
  const definition = flow(
    { a: { kind: 'send', text: '{{ event.text }}', next: 'end' } },
    { gatherSeconds: 2 },
  );
  const run = play(definition).start(said('one'));
  t.strictSame(run.texts, []);
  run.say('two', 500).say('three', 900);
  t.equal(run.state.wait?.untilMs, 2900);
  t.strictSame(run.pass().texts, ['one\ntwo\nthree']);
  t.strictSame(
    play(definition).start({ type: 'start' }).state.status,
    'failed',
    'a start by API waits for nothing',
  );
});

t.test('people, notices and handovers ask for what they should, or fail with the field', async (t) => {
  const effects = (nodes: Parameters<typeof flow>[0]) => play(flow(nodes), { name: 'Ada' }).start();
  t.match(
    effects({
      a: { kind: 'set-attribute', name: 'age', type: 'number', value: '{{ 40 | plus: 2 }}', next: 'b' },
      b: { kind: 'set-consent', purpose: 'marketing', granted: true, next: 'c' },
      c: {
        kind: 'send-email',
        to: 'a@b.co, c@d.co',
        subject: 'About\n{{ contact.name }}',
        text: 'x',
        next: 'd',
      },
      d: {
        kind: 'webhook-event',
        type: 'lead.created',
        data: { name: '{{ contact.name }}', n: 1 },
        next: 'e',
      },
      e: { kind: 'notify-team', title: 'A lead', severity: 'warning', next: 'f' },
      f: { kind: 'hand-over', reason: 'a lead', timeoutSeconds: 60, onTimeout: 'end', next: 'end' },
    }).effects,
    [
      { kind: 'set-attribute', value: 42 },
      { kind: 'consent', purpose: 'marketing', granted: true },
      { kind: 'email', to: ['a@b.co', 'c@d.co'], subject: 'About Ada' },
      { kind: 'webhook', data: { name: 'Ada', n: 1 } },
      { kind: 'notify', severity: 'warning' },
      { kind: 'handover', untilMs: 60_000, reason: 'a lead' },
    ],
  );
  const email = (to: string) =>
    effects({ a: { kind: 'send-email', to, subject: 's', text: 'x', next: 'end' } }).state.failure;
  t.match(email('nobody'), { code: 'EMAIL_INVALID', message: /nobody/ });
  t.match(email('{{ variables.none }}'), { code: 'EMAIL_INVALID' });
  const over = flow({
    a: { kind: 'hand-over', timeoutSeconds: 60, onTimeout: 'b', next: 'end' },
    b: { kind: 'end' },
  });
  t.equal(play(over).start().take({ kind: 'release', atMs: 5 }).nodes.at(-1), 'end');
  t.equal(play(over).start().pass().nodes.at(-1), 'b');
  t.equal(play(over).start().say('hello?').state.status, 'waiting');
});

t.test('what a failed node has half done is undone', async (t) => {
  const definition = flow({
    a: {
      kind: 'http-request',
      url: 'https://e.com',
      saveAs: 'kept',
      map: { bad: 'x' },
      acceptStatus: [],
      onError: 'b',
      next: 'end',
    },
    b: { kind: 'end' },
  });
  const run = play(definition)
    .start()
    .answer({ ok: true, value: { status: 500, body: { x: 1 } } });
  t.strictSame(run.state.variables, {});
});
