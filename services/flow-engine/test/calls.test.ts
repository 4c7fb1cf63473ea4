import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import type { CallContext, CallExecutors } from '../src/calls/call.ts';
import { message, phoneOf, sentTexts, settled, startEngine } from './helper.ts';

const end = { kind: 'end' };

const lookup = {
  name: 'Look up',
  triggers: [{ kind: 'keyword', words: ['weather'], match: 'starts-with' }],
  start: 'get',
  nodes: {
    get: {
      kind: 'http-request',
      url: 'https://example.com/{{ event.text | url_encode }}',
      map: { degrees: 'now.degrees' },
      onError: 'sorry',
      next: 'tell',
    },
    tell: { kind: 'send', text: '{{ variables.degrees }} degrees', next: 'end' },
    sorry: { kind: 'send', text: 'No weather today ({{ error.code }})', next: 'end' },
    end,
  },
};

eachDatabase(
  t,
  'a call is made under an id of run and step, and the run goes on with its result',
  async (t, database) => {
    const asked: { url: string; context: CallContext }[] = [];
    const executors: CallExecutors = {
      async http({ url }, context) {
        asked.push({ url, context });
        if (url.endsWith('moon')) return { ok: false, code: 'HTTP_FAILED', message: 'too far' };
        if (url.endsWith('pole')) throw new Error('always cold');
        return { ok: true, value: { status: 200, body: { now: { degrees: 7 } } } };
      },
    };
    const engine = await startEngine(t, database, {
      executors,
      env: { QUEUE_FLOWS_ATTEMPTS: '2', QUEUE_FLOWS_BACKOFF_DELAY: '1' },
    });
    await engine.publish(lookup);
    for (const [contact, where] of [
      ['con_1', 'weather here'],
      ['con_2', 'weather moon'],
      ['con_3', 'weather pole'],
    ] as const)
      await engine.tell(message(contact, 1, where));
    await until(async () => (await sentTexts(engine)).size === 3, { what: 'three answers' });
    await settled(engine);
    const sent = await sentTexts(engine);
    t.strictSame(sent.get(phoneOf('con_1')), ['7 degrees']);
    t.strictSame(sent.get(phoneOf('con_2')), ['No weather today (HTTP_FAILED)']);
    t.strictSame(sent.get(phoneOf('con_3')), ['No weather today (CALL_FAILED)'], 'after the last attempt');

    const tries = asked.filter(({ url }) => url.endsWith('pole'));
    t.equal(tries.length, 2);
    t.equal(tries[0]!.context.requestId, tries[1]!.context.requestId, 'asked again under the same id');
    t.equal(new Set(asked.map(({ context }) => context.requestId)).size, 3);
    t.ok(asked.some(({ url }) => url === 'https://example.com/weather+here'));

    const runs = (await engine.call('GET', '/api/v1/runs')).data as { id: string; status: string }[];
    t.strictSame(
      runs.map(({ status }) => status),
      ['finished', 'finished', 'finished'],
    );
    for (const { id } of runs)
      t.match((await engine.call('POST', `/api/v1/runs/${id}/replay`)).data, { identical: true });
  },
);

eachDatabase(t, 'a call that hangs ends in the error branch when its time is up', async (t, database) => {
  const executors: CallExecutors = {
    'ai-reply': (_call, { signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ ok: false, code: 'ABORTED', message: 'aborted' }));
      }),
  };
  const engine = await startEngine(t, database, { executors });
  await engine.publish({
    name: 'Assistant',
    triggers: [{ kind: 'any-message' }],
    start: 'reply',
    nodes: {
      reply: {
        kind: 'ai-reply',
        timeoutSeconds: 1,
        fallbackText: 'A colleague will answer.',
        next: 'end',
      },
      end,
    },
  });
  await engine.tell(message('con_1', 1, 'help'));
  const texts = await until(async () => (await sentTexts(engine)).get(phoneOf('con_1')), {
    what: 'the fallback',
  });
  t.strictSame(texts, ['A colleague will answer.']);
});

eachDatabase(
  t,
  'three messages in a row get their answers one after the other, each after the one before it',
  async (t, database) => {
    const asked: string[][] = [];
    const waiting: (() => void)[] = [];
    const executors: CallExecutors = {
      'ai-reply': async ({ messages }) => {
        asked.push(messages.map(({ content }) => String(content)));
        await new Promise<void>((resolve) => waiting.push(resolve));
        return { ok: true, value: { text: `answer ${asked.length}` } };
      },
    };
    const engine = await startEngine(t, database, { executors });
    await engine.publish({
      name: 'Assistant',
      triggers: [{ kind: 'any-message' }],
      start: 'reply',
      nodes: { reply: { kind: 'ai-reply', fallbackText: 'sorry', next: 'end' }, end },
    });
    for (const [index, text] of ['one', 'two', 'three'].entries())
      await engine.tell(message('con_1', index + 1, text));
    for (const round of [1, 2, 3]) {
      await until(() => waiting.length > 0, { what: `call ${round}` });
      t.equal(asked.length, round, 'one call at a time');
      waiting.shift()!();
    }
    await until(async () => (await sentTexts(engine)).get(phoneOf('con_1'))?.length === 3, {
      what: 'three answers',
    });
    t.strictSame(asked, [
      ['one'],
      ['one', 'answer 1', 'two'],
      ['one', 'answer 1', 'two', 'answer 2', 'three'],
    ]);
    t.strictSame((await sentTexts(engine)).get(phoneOf('con_1')), ['answer 1', 'answer 2', 'answer 3']);
  },
);

eachDatabase(
  t,
  'messages within the time to gather are one: the flow starts once and answers once',
  async (t, database) => {
    const asked: string[] = [];
    const executors: CallExecutors = {
      'ai-classify': async ({ text }) => {
        asked.push(text);
        return { ok: true, value: { label: 'order' } };
      },
    };
    const engine = await startEngine(t, database, { executors });
    await engine.publish({
      name: 'Assistant',
      gatherSeconds: 1,
      triggers: [{ kind: 'any-message' }],
      start: 'read',
      nodes: {
        read: {
          kind: 'ai-classify',
          labels: [
            { label: 'order', next: 'order' },
            { label: 'other', next: 'end' },
          ],
          otherwise: 'end',
        },
        order: { kind: 'send', text: 'About your order: {{ event.text | newline_to_br }}', next: 'end' },
        end,
      },
    });
    for (const [index, text] of ['hi', 'my order', 'is late'].entries())
      await engine.tell(message('con_1', index + 1, text));
    const texts = await until(async () => (await sentTexts(engine)).get(phoneOf('con_1')), {
      what: 'the answer',
    });
    await settled(engine);
    t.strictSame(asked, ['hi\nmy order\nis late']);
    t.strictSame(texts, ['About your order: hi<br />\nmy order<br />\nis late']);
    const [run, ...others] = (await engine.call('GET', '/api/v1/runs')).data as { id: string }[];
    t.strictSame(others, []);
    t.match((await engine.call('POST', `/api/v1/runs/${run!.id}/replay`)).data, { identical: true });
  },
);

eachDatabase(t, 'a failed run is retried from the node that failed, once', async (t, database) => {
  let isAway = true;
  const executors: CallExecutors = {
    shopify: async () =>
      isAway
        ? { ok: false, code: 'SHOPIFY_AWAY', message: 'the shop is away' }
        : { ok: true, value: { record: { name: '#1001' } } },
  };
  const engine = await startEngine(t, database, { executors });
  await engine.publish({
    name: 'Order',
    triggers: [{ kind: 'keyword', words: ['order'] }],
    start: 'hi',
    nodes: {
      hi: { kind: 'send', text: 'One moment', next: 'find' },
      find: {
        kind: 'shopify-lookup',
        resource: 'order',
        by: 'name',
        value: '#1001',
        saveAs: 'order',
        next: 'tell',
      },
      tell: { kind: 'send', text: 'Found {{ variables.order.name }}', next: 'end' },
      end,
    },
  });
  await engine.tell(message('con_1', 1, 'order'));
  const run = await until(
    async () => {
      const [found] = (await engine.call('GET', '/api/v1/runs?status=failed')).data as {
        id: string;
        reasonCode: string;
      }[];
      return found;
    },
    { what: 'the run to fail' },
  );
  t.equal(run.reasonCode, 'SHOPIFY_AWAY');
  isAway = false;
  for (let round = 0; round < 2; round += 1)
    t.equal((await engine.call('POST', `/api/v1/runs/${run.id}/retry`)).status, 202);
  await until(async () => (await sentTexts(engine)).get(phoneOf('con_1'))?.length === 2, {
    what: 'the run to go on',
  });
  await settled(engine);
  t.strictSame((await sentTexts(engine)).get(phoneOf('con_1')), ['One moment', 'Found #1001']);
  t.equal((await engine.call('POST', `/api/v1/runs/${run.id}/retry`)).error.code, 'RUN_NOT_RETRYABLE');
  t.match((await engine.call('POST', `/api/v1/runs/${run.id}/replay`)).data, { identical: true });
});

eachDatabase(
  t,
  'when a run that is about to answer is cancelled, what was said meanwhile is answered at once',
  async (t, database) => {
    let calls = 0;
    const executors: CallExecutors = {
      'ai-reply': async (_call, { signal }) => {
        calls += 1;
        if (calls > 1) return { ok: true, value: { text: 'here I am' } };
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ ok: false, code: 'ABORTED', message: 'aborted' }));
        });
      },
    };
    const engine = await startEngine(t, database, { executors });
    await engine.publish({
      name: 'Assistant',
      triggers: [{ kind: 'any-message' }],
      start: 'reply',
      nodes: { reply: { kind: 'ai-reply', fallbackText: 'sorry', next: 'end' }, end },
    });
    await engine.tell(message('con_1', 1, 'one'));
    await until(() => calls === 1, { what: 'the call' });
    await engine.tell(message('con_1', 2, 'two'));
    const { db } = engine.runtime.database;
    await until(async () => db.selectFrom('inbox').select('id').executeTakeFirst(), { what: 'it to wait' });
    const [run] = (await engine.call('GET', '/api/v1/runs')).data as { id: string }[];
    await engine.call('POST', `/api/v1/runs/${run!.id}/cancel`);
    const texts = await until(async () => (await sentTexts(engine)).get(phoneOf('con_1')), {
      what: 'the answer',
    });
    t.strictSame(texts, ['here I am']);
  },
);

eachDatabase(t, 'a call whose job is lost with its Redis is asked for again', async (t, database) => {
  const asked: string[] = [];
  const executors: CallExecutors = {
    async 'ai-reply'(_call, { requestId }) {
      asked.push(requestId);
      return { ok: true, value: { text: 'here I am' } };
    },
  };
  const engine = await startEngine(t, database, { executors });
  await engine.publish({
    name: 'Assistant',
    triggers: [{ kind: 'any-message' }],
    start: 'reply',
    nodes: { reply: { kind: 'ai-reply', timeoutSeconds: 300, fallbackText: 'sorry', next: 'end' }, end },
  });
  const { db } = engine.runtime.database;
  const queue = engine.runtime.producer.queue('ai');
  await queue.pause();
  await engine.tell(message('con_1', 1, 'one'));
  const [job] = await until(
    async () => {
      const jobs = await queue.getJobs(['wait']);
      return jobs.length > 0 ? jobs : undefined;
    },
    { what: 'the job' },
  );
  await job!.remove();
  await queue.resume();
  // As it is when the time to look has come.
  await db.updateTable('runs').set({ dueAtMs: Date.now() }).where('waitKind', '=', 'call').execute();
  const texts = await until(async () => (await sentTexts(engine)).get(phoneOf('con_1')), {
    what: 'the answer',
  });
  t.strictSame(texts, ['here I am']);
  t.strictSame(asked, [job!.id], 'under the same id');
});
