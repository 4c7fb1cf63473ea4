import { createFileStore } from '@switchyard/files';
import { createMysqlDatabase, startRedis } from '@switchyard/test-kit';
import t from 'tap';
import { context, startExecutors, startProviders } from './helper.ts';

const hello = { kind: 'ai-reply' as const, messages: [{ role: 'user', content: 'Where is my order?' }] };
const classify = {
  kind: 'ai-classify' as const,
  text: 'I want my money back',
  labels: ['refund', 'question', 'money'],
};

/** A provider of the merchant's own, by the API. */
const provider = (url: string, fields: object = {}) => ({
  name: 'Own',
  baseUrl: `${url}/ai/v1`,
  apiKey: 'simulator-ai-key',
  model: 'own-model',
  ...fields,
});

t.test('a reply comes from the first provider, and its tokens and cost are counted', async (t) => {
  const { simulator, env } = await startProviders(t);
  const { executors, call, runtime } = await startExecutors(t, {
    env: { ...env, FLOW_HTTP_ALLOW_PRIVATE_NETWORKS: 'true' },
  });
  const created = await call(
    'POST',
    '/api/v1/ai-providers',
    provider(simulator.url, { inputPrice: 2, outputPrice: 10 }),
  );
  t.equal(created.status, 201, created.text);
  // The environment's comes first; behind it comes ours.
  const result = await executors['ai-reply']!(hello, context());
  t.match(result, {
    ok: true,
    value: { text: 'You said: “Where is my order?”', usage: { model: 'simulator' } },
  });
  simulator.ai.faults.add({ kind: 'status', status: 503, count: 1 });
  const second = await executors['ai-reply']!(
    { ...hello, instructions: 'Be brief.', maxTokens: 50 },
    context(),
  );
  t.match(second, { ok: true, value: { usage: { model: 'own-model' } } });
  const asked = simulator.ai.requests().at(-1)!.body as { messages: object[]; max_tokens: number };
  t.match(asked, { max_tokens: 50, messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user' }] });
  const usage = (await call('GET', '/api/v1/ai-usage')).data as Record<string, unknown>[];
  const { inputTokens, outputTokens } = (
    second as { value: { usage: { inputTokens: number; outputTokens: number } } }
  ).value.usage;
  t.match(
    usage.find(({ model }) => model === 'own-model'),
    {
      purpose: 'reply',
      calls: 1,
      failures: 0,
      inputTokens,
      outputTokens,
      costMicros: inputTokens * 2 + outputTokens * 10,
    },
  );
  t.match(
    usage.find(({ model }) => model === 'simulator'),
    { calls: 2, failures: 1 },
  );
  t.match(
    await runtime.metrics.registry.metrics(),
    /switchyard_ai_tokens_total\{kind="output",purpose="reply"/,
  );
});

t.test('whatever a provider does, the next is asked, and at the end there is a clear error', async (t) => {
  const first = await startProviders(t);
  const second = await startProviders(t);
  const { executors, call } = await startExecutors(t, {
    env: { ...first.env, AI_TIMEOUT_MS: '400', FLOW_HTTP_ALLOW_PRIVATE_NETWORKS: 'true' },
  });
  await call('POST', '/api/v1/ai-providers', provider(second.simulator.url));
  const faults = [
    ...(['hang', 'cut', 'babble', 'nonsense', 'empty', 'cut-off'] as const).map((kind) => ({ kind })),
    { kind: 'status' as const, status: 429 },
    { kind: 'status' as const, status: 500 },
    { kind: 'status' as const, status: 401 },
  ];
  const memory = process.memoryUsage().rss;
  for (const fault of faults) {
    first.simulator.ai.faults.add({ ...fault, count: 1 });
    const result = await executors['ai-reply']!(hello, context());
    t.match(
      result,
      { ok: true, value: { usage: { model: 'own-model' } } },
      `${fault.kind}: the next one answers`,
    );
    // A few good answers in between, so that the breaker stays out of this.
    for (let good = 0; good < 3; good += 1) await executors['ai-reply']!(hello, context());
  }
  for (const { simulator } of [first, second]) simulator.ai.faults.add({ kind: 'hang' });
  await t.rejects(executors['ai-reply']!(hello, context()), {
    code: 'AI_UNAVAILABLE',
    outcome: 'retry',
    message: /no answer within/,
  });
  for (const { simulator } of [first, second]) {
    simulator.ai.faults.remove();
    simulator.ai.faults.add({ kind: 'babble' });
  }
  t.match(await executors['ai-reply']!(hello, context()), {
    ok: false,
    code: /AI_ANSWER_INVALID|AI_UNAVAILABLE/,
  });
  for (const { simulator } of [first, second]) {
    simulator.ai.faults.remove();
    simulator.ai.faults.add({ kind: 'status', status: 401 });
  }
  t.match(await executors['ai-reply']!(hello, context()), {
    ok: false,
    code: 'AI_REFUSED',
    message: /answered 401/,
  });
  t.ok(process.memoryUsage().rss - memory < 300 * 1024 * 1024, 'endless answers cost no memory');
});

t.test('without a provider the result says so', async (t) => {
  const { executors } = await startExecutors(t);
  t.match(await executors['ai-reply']!(hello, context()), { ok: false, code: 'AI_NOT_CONFIGURED' });
});

t.test('a reply that no message could carry is an error of the flow', async (t) => {
  const { simulator, env } = await startProviders(t);
  const { executors } = await startExecutors(t, { env });
  simulator.ai.replies.push({ match: '', reply: 'long '.repeat(1000) });
  t.match(await executors['ai-reply']!({ ...hello, maxTokens: 5000 }, context()), {
    ok: false,
    code: 'AI_ANSWER_INVALID',
  });
  // And one that outgrows its tokens is cut off by the provider: no half sentence goes out.
  t.match(await executors['ai-reply']!({ ...hello, maxTokens: 10 }, context()), {
    ok: false,
    code: 'AI_ANSWER_INVALID',
  });
});

t.test(
  'labels and values are held against their schema; an answer that does not fit is sent back once',
  async (t) => {
    const { simulator, env } = await startProviders(t);
    const { executors } = await startExecutors(t, { env });
    const { ai } = simulator;
    t.match(await executors['ai-classify']!(classify, context()), { ok: true, value: { label: 'money' } });

    ai.faults.add({ kind: 'refuse-schema', count: 1 });
    const mended = await executors['ai-classify']!(classify, context());
    t.match(mended, { ok: true, value: { label: 'money' } });
    const { messages } = ai.requests().at(-1)!.body as { messages: { role: string; content: string }[] };
    t.match(messages.at(-1), { role: 'user', content: /label/ }, 'the model is told what was wrong');

    ai.faults.add({ kind: 'refuse-schema', count: 2 });
    t.match(await executors['ai-classify']!(classify, context()), {
      ok: false,
      code: 'AI_ANSWER_INVALID',
      message: /twice/,
    });

    const schema = {
      type: 'object',
      properties: { email: { type: 'string' }, pieces: { type: 'integer', minimum: 1 } },
      required: ['email', 'pieces'],
    };
    const text = 'Send 3 to ada@example.com';
    t.match(await executors['ai-classify']!({ kind: 'ai-classify', text, schema }, context()), {
      ok: true,
      value: { values: { email: 'ada@example.com', pieces: 3 } },
    });
    // Models like to wrap what they say.
    ai.replies.push({
      match: 'Send 3',
      reply: 'Sure!\n```json\n{"email": "a@b", "pieces": 2, "__proto__": {"x": 1}}\n```',
    });
    t.match(await executors['ai-classify']!({ kind: 'ai-classify', text, schema }, context()), {
      ok: true,
      value: { values: { email: 'a@b', pieces: 2 } },
    });
  },
);

t.test('a provider that knows no response formats is asked in words, and not in vain again', async (t) => {
  const { simulator, env } = await startProviders(t);
  const { executors } = await startExecutors(t, { env });
  simulator.ai.faults.add({ kind: 'refuse-format' });
  simulator.ai.replies.push({ match: 'money', reply: '{"label": "refund"}' });
  for (let round = 0; round < 3; round += 1)
    t.match(await executors['ai-classify']!(classify, context()), { ok: true, value: { label: 'refund' } });
  t.equal(simulator.ai.requests().filter(({ body }) => 'response_format' in body).length, 1);
});

t.test('a schema that could take for ever, or is none, is refused', async (t) => {
  const { env } = await startProviders(t);
  const { executors } = await startExecutors(t, { env });
  const deep = (levels: number): object =>
    levels === 0 ? { type: 'string' } : { type: 'array', items: deep(levels - 1) };
  for (const schema of [
    { type: 'object', properties: { a: { type: 'string', pattern: '(a+)+$' } } },
    { type: 'object', properties: { a: { $ref: '#' } } },
    { type: 'string' },
    { type: 'object', properties: { a: 'string' } },
    { type: 'object', properties: { a: deep(10) } },
    { type: 'object', description: 'x'.repeat(20_000) },
    {},
  ] as Record<string, unknown>[])
    t.match(
      await executors['ai-classify']!({ kind: 'ai-classify', text: 'x', schema }, context()),
      { ok: false, code: 'AI_SCHEMA_INVALID' },
      JSON.stringify(schema).slice(0, 60),
    );
});

t.test('a voice message is read from the store and becomes text', async (t) => {
  const { simulator, env } = await startProviders(t);
  const { executors, database } = await startExecutors(t, { env });
  const files = await createFileStore({ dataDir: database.dataDir });
  await files.put('media/default/voice.ogg', Buffer.from('Where is my parcel?'));
  const audio = { path: 'media/default/voice.ogg', mimeType: 'audio/ogg; codecs=opus' };
  const result = await executors.transcribe!({ kind: 'transcribe', audio, language: 'en' }, context());
  t.match(result, { ok: true, value: { text: 'Where is my parcel?' } });
  t.match(simulator.ai.requests().at(-1), {
    kind: 'transcription',
    body: { model: 'whisper-1', language: 'en', name: 'voice.ogg', mimeType: 'audio/ogg' },
  });
  await files.put('media/mer_2/voice.ogg', Buffer.from('of somebody else'));
  for (const path of ['media/mer_2/voice.ogg', 'voice.ogg', '../default/voice.ogg'])
    t.match(await executors.transcribe!({ kind: 'transcribe', audio: { path } }, context()), {
      ok: false,
      code: /AUDIO_UNUSABLE|FILE_PATH_INVALID/,
    });
  const gone = { path: 'media/default/gone.ogg' };
  t.match(await executors.transcribe!({ kind: 'transcribe', audio: gone }, context()), {
    ok: false,
    code: 'AUDIO_UNUSABLE',
  });
  await files.put('media/default/long.ogg', Buffer.alloc(25 * 1024 * 1024 + 1));
  const long = { path: 'media/default/long.ogg' };
  t.match(await executors.transcribe!({ kind: 'transcribe', audio: long }, context()), {
    ok: false,
    code: 'AUDIO_UNUSABLE',
  });
});

t.test('a provider that keeps failing is left alone by all instances', async (t) => {
  const { simulator, env } = await startProviders(t);
  const redis = await startRedis(t);
  const one = await startExecutors(t, { env: { ...env, AI_TIMEOUT_MS: '200' }, redis });
  const other = await startExecutors(t, { env: { ...env, AI_TIMEOUT_MS: '200' }, redis });
  simulator.ai.faults.add({ kind: 'hang' });
  for (let call = 0; call < 5; call += 1)
    await t.rejects(one.executors['ai-reply']!(hello, context()), { code: 'AI_UNAVAILABLE' });
  const before = simulator.ai.requests().length;
  await t.rejects(other.executors['ai-reply']!(hello, context()), {
    code: 'AI_UNAVAILABLE',
    message: /left alone/,
  });
  t.equal(simulator.ai.requests().length, before, 'the other instance does not even ask');
});

t.test('one merchant with a slow provider leaves places for others', async (t) => {
  const { simulator, env } = await startProviders(t);
  const { executors } = await startExecutors(t, { env });
  simulator.ai.faults.add({ kind: 'slow', delayMs: 1500 });
  const calls = Array.from({ length: 26 }, () => executors['ai-reply']!(hello, context()));
  const results = await Promise.allSettled(calls);
  const refused = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
  t.equal(refused.length, 1);
  t.match(refused[0]?.reason, { code: 'CALLS_BUSY', outcome: 'later' });
});

t.test(
  'keys are stored encrypted, shown to nobody, and stay with the host they were given for',
  async (t) => {
    const { env } = await startProviders(t);
    const { call, runtime } = await startExecutors(t, { env, database: await createMysqlDatabase(t) });
    const own = provider('https://llm.example.com', { apiKey: 'sk-very-secret' });
    const created = await call('POST', '/api/v1/ai-providers', own);
    t.equal(created.status, 201);
    const { id } = created.data as { id: string };
    const rows = await runtime.database.db.selectFrom('aiProviders').selectAll().execute();
    t.notMatch(JSON.stringify(rows), /sk-very-secret|simulator-ai-key/);
    const list = await call('GET', '/api/v1/ai-providers');
    t.notMatch(list.text, /secret|sealed/i);
    t.match(list.data, [
      { id: 'aip_environment', setByEnvironment: true },
      { id, hasApiKey: true },
    ]);

    for (const [fields, code] of [
      [{ baseUrl: 'https://evil.example.com/v1' }, 'CREDENTIAL_URL_REFUSED'],
      [{ baseUrl: 'http://169.254.169.254/v1', apiKey: 'x' }, 'CREDENTIAL_URL_REFUSED'],
      [{ baseUrl: 'http://localhost:11434/v1', apiKey: null }, 'CREDENTIAL_URL_REFUSED'],
      [{ model: '' }, 'VALIDATION_FAILED'],
    ] as const)
      t.equal((await call('PATCH', `/api/v1/ai-providers/${id}`, fields)).error.code, code);
    t.equal(
      (await call('PATCH', '/api/v1/ai-providers/aip_environment', { model: 'x' })).error.code,
      'SET_BY_ENVIRONMENT',
    );
    t.equal(
      (await call('PATCH', `/api/v1/ai-providers/${id}`, { state: 'disabled', model: 'newer' })).status,
      200,
    );
    t.equal((await call('DELETE', `/api/v1/ai-providers/${id}`)).status, 200);
    t.equal((await call('GET', `/api/v1/ai-providers/${id}`)).error.code, 'AI_PROVIDER_UNKNOWN');
  },
);
