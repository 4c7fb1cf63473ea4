import t from 'tap';
import { control, send, start, startBoth } from '../helper.ts';

t.test('everything can be done over HTTP that can be done in the process', async (t) => {
  const { simulator, receiver } = await startBoth(t);
  const { data } = await control(simulator, 'POST', 'inbound', { from: '+15551230001', text: 'hi' });
  t.match(data, { ids: [/^wamid\./] });
  await control(simulator, 'POST', 'changes', {
    field: 'account_update',
    value: { event: 'DISABLED_UPDATE' },
  });
  await simulator.waitForIdle();
  t.match(receiver.values(), [{ messages: [{ text: { body: 'hi' } }] }, { event: 'DISABLED_UPDATE' }]);

  t.match((await control(simulator, 'POST', 'faults', { kind: 'status', status: 500 })).data, [
    { id: 1, struck: 0 },
  ]);
  t.equal((await send(simulator)).status, 500);
  t.match((await control(simulator, 'GET', 'faults')).data, [{ struck: 1 }]);
  t.match((await control(simulator, 'GET', 'incidents')).data, [{ kind: 'status', code: 500 }]);
  t.match((await control(simulator, 'DELETE', 'faults')).data, { removed: 1 });

  await send(simulator);
  await send(simulator);
  await send(simulator, { to: '15551230002' });
  t.match((await control(simulator, 'GET', 'accepted?to=%2B15551230001')).data, {
    total: 3,
    messages: [{ sequence: 1 }, { sequence: 2 }],
  });
  t.match((await control(simulator, 'GET', 'accepted?after=2')).data, { messages: [{ sequence: 3 }] });
  t.match((await control(simulator, 'GET', 'repeats')).data, {
    totals: { byContent: 1 },
    repeats: [{ count: 2 }],
  });
  t.match((await control(simulator, 'GET', 'inbound?to=15551230001')).data, {
    messages: [{ from: '15551230001' }],
  });
  t.match((await control(simulator, 'PUT', 'settings', { statuses: { lossRate: 0.5 } })).data, {
    statuses: { lossRate: 0.5, readRate: 1 },
  });
  t.match((await control(simulator, 'POST', 'verify-webhook')).data, { ok: true });
  await control(simulator, 'PUT', 'numbers', { id: '42', businessAccountId: '7' });
  t.match((await control(simulator, 'GET', 'numbers')).data, [{}, { id: '42', businessAccountId: '7' }]);
  t.notMatch(
    JSON.stringify((await control(simulator, 'GET', 'numbers')).data),
    simulator.credentials.accessToken,
  );

  await control(simulator, 'POST', 'reset');
  t.strictSame(
    ((await control(simulator, 'GET', 'statistics?numbers=none')).data as { numbers: [] }).numbers,
    [],
  );
  t.match((await control(simulator, 'GET', 'statistics')).data, {
    accepted: 0,
    rejected: 0,
    inbound: 0,
    incidents: {},
  });
  t.match((await control(simulator, 'GET', 'settings')).data, { statuses: { lossRate: 0 } });
});

t.test('what it does not know is refused by name, and nothing changes', async (t) => {
  const simulator = await start(t);
  const before = structuredClone(simulator.settings);
  for (const [method, path, body] of [
    ['PUT', 'settings', { statuses: { lossRate: 2 } }],
    ['PUT', 'settings', { statuses: { losRate: 1 } }],
    ['PUT', 'settings', { repeats: { opaquePattern: '(' } }],
    ['PUT', 'settings', { webhooks: { url: 'file:///etc/passwd' } }],
    ['POST', 'faults', { kind: 'gremlin' }],
    ['POST', 'inbound', { from: '1', txt: 'hi' }],
    ['POST', 'inbound', { text: 'from nobody' }],
    ['GET', 'accepted?after=x', undefined],
  ] as const) {
    const { status, error } = await control(simulator, method, path, body);
    t.equal(status, 400, `${method} ${path}`);
    t.ok(error?.code);
  }
  t.same(simulator.settings, before);
  t.match(await control(simulator, 'GET', 'nothing'), {
    status: 404,
    error: { code: 'SIMULATOR_NOT_FOUND' },
  });
});

t.test('a request from another site is refused', async (t) => {
  const simulator = await start(t);
  const post = (origin: string) =>
    fetch(`${simulator.url}/_simulator/reset`, { method: 'POST', headers: { origin } }).then(
      ({ status }) => status,
    );
  t.equal(await post('https://example.com'), 403);
  t.equal(await post(simulator.url), 200);
});

t.test('events are streamed as they happen, those of one person when asked', async (t) => {
  const simulator = await start(t);
  const leaving = new AbortController();
  const response = await fetch(`${simulator.url}/_simulator/events?to=15551230001`, {
    signal: leaving.signal,
  });
  t.match(response.headers.get('content-type'), 'text/event-stream');
  await send(simulator, { to: '15551230002' });
  await send(simulator);
  simulator.inject({ from: '15551230001', text: 'hi' });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('event: inbound') && text.includes('"status":"read"')) break;
  }
  leaving.abort();
  t.match(text, 'event: accepted');
  t.notMatch(text, '15551230002');
});
