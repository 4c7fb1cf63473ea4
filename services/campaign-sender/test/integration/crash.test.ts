import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import {
  createSqliteDatabase,
  eachDatabase,
  freePort,
  spawnNode,
  type TestDatabase,
  until,
} from '@switchyard/test-kit';
import t, { type Test } from 'tap';
import { API_KEY, startSurroundings } from '../helper.ts';

const main = new URL('../../src/main.ts', import.meta.url);
const PHONE = '15551232001';

/** The service in a process of its own, to be killed. */
async function stand(t: Test, database: TestDatabase) {
  const around = await startSurroundings(t, database);
  const port = await freePort();

  async function start(env: Record<string, string> = {}) {
    const child = spawnNode(t, main, { env: { ...around.env, PORT: String(port), ...env } });
    await until(async () => (await fetch(`http://127.0.0.1:${port}/live`)).ok, {
      what: 'the service listens',
      timeoutMs: 20_000,
    });
    return child;
  }
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
  async function get(path: string): Promise<any> {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
      headers: { authorization: `Bearer ${API_KEY}` },
    });
    return ((await answer.json()) as { data: unknown }).data;
  }
  const send = (messageId: string, to = PHONE) =>
    around.ingress.add({
      queue: 'messages',
      name: 'send-message',
      payload: { messageId, to, content: `text of ${messageId}` },
    });
  const reach = (id: string, ...states: string[]) =>
    until(
      async () => {
        const message = await get(`/messages/${id}`);
        return states.includes(message?.state) && message;
      },
      { what: `${id} is ${states}`, timeoutMs: 20_000 },
    );
  const greet = async (phones = [PHONE]) => {
    around.simulator.inject(phones.map((from) => ({ from, text: 'hi' })));
    await until(async () => (await get('/contacts')).items.length === phones.length);
  };
  return { ...around, start, get, send, reach, greet };
}

void eachDatabase(
  t,
  'killed between intent and call: the message waits out the grace and goes once',
  async (t, database) => {
    const { start, send, reach, greet, simulator, get } = await stand(t, database);
    // A provider that never finishes its TLS handshake: the intent is written, no byte of the request is.
    const mute = createServer((socket) => void socket.on('error', () => undefined));
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    t.teardown(() => void mute.close());
    const first = await start({
      WHATSAPP_API_URL: `https://127.0.0.1:${(mute.address() as AddressInfo).port}`,
      SEND_HTTP_TIMEOUT_MS: '20000',
      SEND_UNKNOWN_GRACE_MS: '30000',
    });
    await greet();
    await send('m_killed');
    await reach('m_killed', 'sending');
    await first.kill('SIGKILL');
    await start();
    t.match(await get('/messages/m_killed'), { state: /sending|parked/, attempts: 1 });
    for (let round = 0; (await get('/messages/m_killed')).attempts === 1; round += 1) {
      await send(`m_flow_${round}`);
      await reach(`m_flow_${round}`, 'read');
    }
    await reach('m_killed', 'read');
    t.equal(simulator.accepted().filter(({ messageId }) => messageId === 'm_killed').length, 1);
    t.strictSame(simulator.repeats(), []);
  },
);

void eachDatabase(
  t,
  'killed after acceptance, before the answer: the receipt settles it and nothing is repeated',
  async (t, database) => {
    const { start, send, reach, greet, simulator, ingress } = await stand(t, database);
    const first = await start({ SEND_HTTP_TIMEOUT_MS: '20000', SEND_UNKNOWN_GRACE_MS: '30000' });
    await greet();
    ingress.hold();
    simulator.addFault({ kind: 'no-response', count: 1 });
    await send('m_accepted');
    await simulator.waitForAccepted(({ messageId }) => messageId === 'm_accepted');
    await first.kill('SIGKILL');
    await start();
    // Parked by the reconciler while its receipts are still under way, and not sent again.
    await reach('m_accepted', 'parked');
    await ingress.release();
    await reach('m_accepted', 'read');
    t.equal(simulator.accepted().length, 1);
    t.strictSame(simulator.repeats(), []);
  },
);

t.test('stopped by SIGTERM under load it ends with 0 and the next process sends the rest once', async (t) => {
  const { start, send, greet, simulator, get } = await stand(t, await createSqliteDatabase(t));
  const first = await start();
  // Ten people: one alone would have to wait for his credit.
  const phones = Array.from({ length: 10 }, (_, index) => `1555123300${index}`);
  await greet(phones);
  const ids = Array.from({ length: 300 }, (_, index) => `m_load_${index}`);
  await Promise.all(ids.map((id, index) => send(id, phones[index % phones.length])));
  await until(() => simulator.accepted().length > 20);
  t.strictSame(await first.kill('SIGTERM'), { code: 0, signal: null }, first.output);
  await start();
  await until(async () => (await get('/messages?direction=out&state=read&limit=200')).items.length === 200, {
    timeoutMs: 60_000,
  });
  await until(() => new Set(simulator.accepted().map(({ messageId }) => messageId)).size === ids.length, {
    timeoutMs: 60_000,
  });
  t.equal(simulator.accepted().length, ids.length);
  t.strictSame(simulator.repeats(), []);
});
