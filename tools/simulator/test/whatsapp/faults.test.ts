import t from 'tap';
import { createRandom } from '../../src/random.ts';
import { createFaults } from '../../src/whatsapp/faults.ts';
import { type Answer, graph, send, start, startBoth } from '../helper.ts';

const outcome = (sending: Promise<Answer>) =>
  sending.then(
    ({ status }) => status,
    () => 'no answer' as const,
  );

t.test('a message is accepted by exactly those faults that say so', async (t) => {
  const simulator = await start(t);
  const cases = [
    { kind: 'cut-before', accepted: false, seen: 'no answer' },
    { kind: 'cut-after', accepted: true, seen: 'no answer' },
    { kind: 'status', status: 503, accepted: false, seen: 503 },
    // An HTML page is no answer of the provider's.
    { kind: 'gateway', status: 502, accepted: false, seen: 'no answer' },
    { kind: 'gateway', status: 504, accepted: true, seen: 'no answer' },
    { kind: 'error', code: 131000, accepted: false, seen: 500 },
    { kind: 'error', code: 130429, httpStatus: 429, accepted: false, seen: 429 },
    { kind: 'slow', delayMs: 50, accepted: true, seen: 200 },
  ] as const;
  for (const { accepted, seen, ...fault } of cases) {
    const before = simulator.statistics().accepted;
    if (fault.kind === 'gateway')
      simulator.addFault({ kind: 'gateway', status: fault.status, accepted, count: 1 });
    else simulator.addFault({ ...fault, count: 1 });
    t.equal(
      await outcome(send(simulator, { biz_opaque_callback_data: 'm:2' })),
      seen,
      `${fault.kind}: answer`,
    );
    t.equal(simulator.statistics().accepted - before, accepted ? 1 : 0, `${fault.kind}: acceptance`);
    t.match(simulator.incidents().at(-1), { kind: fault.kind, accepted, messageId: 'm', attempt: 2 });
    t.equal(await outcome(send(simulator)), 200, 'struck once, then no more');
  }
});

t.test('a hanging send is not accepted, one whose answer is never sent is', async (t) => {
  const simulator = await start(t);
  for (const [kind, accepted] of [
    ['hang', 0],
    ['no-response', 1],
  ] as const) {
    simulator.reset();
    simulator.addFault({ kind });
    const abandoned = new AbortController();
    const sending = fetch(`${simulator.url}/${simulator.credentials.phoneNumberId}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${simulator.credentials.accessToken}` },
      body: JSON.stringify({ messaging_product: 'whatsapp', to: '15551230001', text: { body: 'x' } }),
      signal: abandoned.signal,
    });
    const struck = new Promise<void>((resolve) => {
      const stop = simulator.onEvent(({ kind: event }) => {
        if (event !== 'incident') return;
        stop();
        resolve();
      });
    });
    await struck;
    const first = await Promise.race([sending.then(() => 'answered'), new Promise(setImmediate)]);
    t.not(first, 'answered', kind);
    abandoned.abort();
    await t.rejects(sending);
    t.equal(simulator.statistics().accepted, accepted, kind);
  }
});

t.test('statuses of a message whose answer was cut off still come: they settle it', async (t) => {
  const { simulator, receiver } = await startBoth(t);
  simulator.addFault({ kind: 'cut-after', count: 1 });
  t.equal(await outcome(send(simulator, { biz_opaque_callback_data: 'm:1' })), 'no answer');
  await simulator.waitForIdle();
  t.same(
    receiver.all('statuses').map(({ biz_opaque_callback_data: opaque }) => opaque),
    ['m:1', 'm:1', 'm:1'],
  );
});

t.test('withheld receipts and a cut answer strike together', async (t) => {
  const { simulator, receiver } = await startBoth(t);
  simulator.addFault({ kind: 'cut-after', to: '15551230001' });
  simulator.addFault({ kind: 'withhold-receipts', to: '15551230001' });
  t.equal(await outcome(send(simulator)), 'no answer');
  t.equal(await outcome(send(simulator, { to: '15551230002' })), 200, 'another recipient is unaffected');
  await simulator.waitForIdle();
  t.ok(receiver.all('statuses').every(({ recipient_id: to }) => to === '15551230002'));
  t.same(simulator.statistics().incidents, { 'cut-after': 1, 'withhold-receipts': 1 });
});

t.test('faults can wait, be taken back and strike read receipts', async (t) => {
  const simulator = await start(t);
  simulator.addFault({ kind: 'status', status: 500, skip: 2, count: 1 });
  const seen: (number | string)[] = [];
  for (let n = 0; n < 4; n += 1) seen.push(await outcome(send(simulator)));
  t.same(seen, [200, 200, 500, 200]);
  const { id } = simulator.addFault({ kind: 'error', code: 131016, type: 'read' });
  const read = { messaging_product: 'whatsapp', status: 'read', message_id: 'wamid.x' };
  const path = `${simulator.credentials.phoneNumberId}/messages`;
  t.equal((await graph(simulator, 'POST', path, read)).body.error?.code, 131016);
  t.equal(await outcome(send(simulator)), 200, 'sends are not read receipts');
  t.equal(simulator.removeFaults(id), 1);
  t.equal((await graph(simulator, 'POST', path, read)).status, 200);
});

t.test('the same seed strikes the same sends, at about the rate asked for', async (t) => {
  const run = (seed: number) => {
    const faults = createFaults(createRandom(seed));
    faults.add({ kind: 'hang', rate: 0.2 });
    return Array.from(
      { length: 1000 },
      () => faults.strike({ address: '1', phoneNumberId: '1', type: 'text' }).length,
    );
  };
  t.same(run(7), run(7));
  t.not(run(7).join(), run(8).join());
  const struck = run(7).reduce((sum, each) => sum + each, 0);
  t.ok(struck > 150 && struck < 250, `${struck} of 1000`);
});
