import { createProducer } from '@switchyard/jobs';
import { createSqliteDatabase, signMeta, silentLogger, until } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { converse, transcriptOf } from './system/converse.ts';
import { type System, startSystem } from './system/start-system.ts';

/** The promises of docs/architecture.md that apply so far; the fifth comes with campaigns. */

const phonesFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => String(first + index));

interface Run {
  id: string;
}

t.test('the promises, on one system', async (t) => {
  const system = await startSystem(t, {
    database: await createSqliteDatabase(t),
    // Some webhooks are posted past the simulator, which then knows of no window.
    simulator: { window: { mode: 'off' } },
  });
  const { simulator } = system;

  await t.test('promise 1: nothing acknowledged is lost, though every process dies at once', async (t) => {
    const phones = phonesFrom(15551100001, 40);
    for (const from of phones) simulator.inject({ from, name: 'Ada', text: 'hello' });
    await until(() => simulator.statistics().webhooks.pendingUpdates === 0, {
      what: 'ingress to acknowledge all',
    });
    await Promise.all([...system.instances.map((instance) => instance.end('SIGKILL')), system.redis.kill()]);
    await system.redis.start();
    await Promise.all(system.instances.map((instance) => instance.start()));
    await until(() => phones.every((phone) => transcriptOf(simulator, phone).length === 1), {
      timeoutMs: 60_000,
      what: 'everyone to be asked',
    });
    t.same(simulator.repeats(), []);
  });

  await t.test('promise 2: effects in our stores happen once, however often their cause comes', async (t) => {
    const phone = '15551200001';
    const body = inboundBody(simulator.credentials.phoneNumberId, phone, 'wamid.promise2');
    const headers = {
      'content-type': 'application/json',
      'x-hub-signature-256': signMeta(body, simulator.credentials.appSecret),
    };
    const [ingress] = system.replicasOf('ingress');
    const post = async () =>
      (await fetch(`${ingress?.url}/webhooks/whatsapp`, { method: 'POST', headers, body })).status;
    t.same(new Set(await Promise.all(Array.from({ length: 30 }, post))), new Set([200]));
    await until(() => transcriptOf(simulator, phone).length === 1, { what: 'the question' });
    // As if dedup and queue had forgotten: only the consumers' keys are left.
    await forgetDeliveries(system);
    t.same(await post(), 200);
    await queueIsEmpty(t, system);
    const { items } = await system.api<{ items: { id: string }[] }>(
      'campaign-sender',
      `/api/v1/contacts/${await contactOf(system, phone)}/messages`,
    );
    t.equal(items.length, 2, 'one message in, one out');
    t.equal(transcriptOf(simulator, phone).length, 1);
  });

  await t.test('promise 3: no message is sent twice while its receipt can still settle it', async (t) => {
    simulator.addFault({ kind: 'cut-after', rate: 0.5 });
    simulator.addFault({ kind: 'no-response', rate: 0.2 });
    const phones = phonesFrom(15551300001, 20);
    await Promise.all(phones.map((phone) => converse(simulator, phone, 60_000)));
    simulator.removeFaults();
    t.ok(
      simulator.incidents().some(({ kind }) => kind === 'cut-after'),
      'connections were cut after acceptance',
    );
    t.same(simulator.repeats(), []);
  });

  await t.test(
    'promise 4: a run is deterministic: replayed from its journal it takes the same steps',
    async (t) => {
      await converse(simulator, '15551400001');
      const runs = await system.api<Run[]>('flow-engine', '/api/v1/runs');
      t.ok(runs.length > 10);
      for (const { id } of runs.slice(0, 10)) {
        const { identical } = await system.api<{ identical: boolean }>(
          'flow-engine',
          `/api/v1/runs/${id}/replay`,
          {},
        );
        t.equal(identical, true, id);
      }
    },
  );

  await t.test(
    'promise 6: Redis stays small: finished work leaves no more than what is kept of it',
    async (t) => {
      await Promise.all(phonesFrom(15551600001, 60).map((phone) => converse(simulator, phone, 60_000)));
      await queueIsEmpty(t, system);
      const queueRedis = new Redis(`${system.redis.url}/1`);
      t.teardown(() => queueRedis.disconnect());
      const queues = ['inbound', 'receipts', 'flows', 'messages', 'webhooks'];
      for (const queue of queues) {
        t.ok((await queueRedis.zcard(`bull:${queue}:completed`)) <= 101, `${queue} keeps 100 finished jobs`);
        t.equal(await queueRedis.zcard(`bull:${queue}:failed`), 0, `${queue} has no failed job`);
      }
      // 100 kept jobs per queue, and a few keys each.
      t.ok((await queueRedis.dbsize()) < queues.length * 200, 'no key is left per message');
    },
  );

  await t.test('promise 8: one bad part stops only itself, and is kept and shown', async (t) => {
    const producer = poisonProducer(t, system);
    await producer
      .queue('flows')
      .add('handle-event', { v: 1, payload: { nonsense: true } }, { jobId: 'poison' });
    await system.api('notifier', '/api/v1/endpoints', { url: 'http://127.0.0.1:9/dead' });
    const body = inboundBody('999999999999999', '15551800002', 'wamid.promise8');
    const [ingress] = system.replicasOf('ingress');
    await fetch(`${ingress?.url}/webhooks/whatsapp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-hub-signature-256': signMeta(body, simulator.credentials.appSecret),
      },
      body,
    });
    simulator.addFault({ kind: 'error', code: 131026, to: '15551800003' });
    simulator.inject({ from: '15551800003', name: 'Ada', text: 'hello' });
    const { transcript } = await converse(simulator, '15551800001');
    t.equal(transcript.length, 2, 'everybody else is served');

    const failed = await until(
      async () => {
        const { failedJobs } = await system.api<{ failedJobs: { jobId: string; code: string }[] }>(
          'flow-engine',
          '/api/v1/failed-jobs',
        );
        return failedJobs.find(({ jobId }) => jobId === 'poison');
      },
      { what: 'the poison job to be kept' },
    );
    t.equal(failed.code, 'PAYLOAD_INVALID');
    const unrouted = await system.api<unknown>('ingress', '/api/v1/unrouted-events');
    t.match(JSON.stringify(unrouted), /999999999999999|unknown/i, 'what nobody could route is kept');
    const refused = await until(
      async () => {
        const { items } = await system.api<{ items: { state: string; failureCode?: string }[] }>(
          'campaign-sender',
          '/api/v1/messages?state=failed',
        );
        return items[0];
      },
      { what: 'the refused message to be shown' },
    );
    t.equal(refused.state, 'failed');
  });
});

t.test('promise 7: we never exceed what the provider told us', async (t) => {
  const system = await startSystem(t, {
    database: await createSqliteDatabase(t),
    simulator: { limits: { throughput: false, pair: true }, window: { mode: 'off' } },
    env: { WHATSAPP_MESSAGES_PER_SECOND: '80' },
  });
  const { simulator } = system;
  const phones = phonesFrom(15551700001, 400);
  for (let at = 0; at < phones.length; at += 100) {
    await system.api('campaign-sender', '/api/v1/messages', {
      messages: phones.slice(at, at + 100).map((to) => ({
        to,
        type: 'template',
        content: { name: 'hello_world', language: { code: 'en_US' } },
      })),
    });
  }
  await until(() => simulator.statistics().accepted >= 400, { timeoutMs: 60_000, what: 'all to be sent' });
  const { rejectedByCode, numbers } = simulator.statistics();
  t.same(rejectedByCode, {}, 'the provider never had to say no');
  // That no second has more slots than 80 is held in campaign-sender's tests of pacing; `bench/send` holds it against a provider that
  // refuses. Here the provider counts when it gets round to it, and a busy machine holds it up: what came meanwhile counts as one moment.
  const peak = numbers[0]?.peakSecond ?? 0;
  t.ok(peak > 0 && peak <= 100, `about 80 in a second at most (${peak})`);
  t.same(simulator.repeats(), []);
});

function inboundBody(phoneNumberId: string, from: string, id: string): string {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const value = {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '15550000000', phone_number_id: phoneNumberId },
    contacts: [{ profile: { name: 'Ada' }, wa_id: from }],
    messages: [{ from, id, timestamp, type: 'text', text: { body: 'hello' } }],
  };
  return JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '200000000000001', changes: [{ field: 'messages', value }] }],
  });
}

/** Empties what ingress and the queue remember of deliveries, and nothing else. */
async function forgetDeliveries(system: System): Promise<void> {
  const dedup = new Redis(`${system.redis.url}/2`);
  const queue = new Redis(`${system.redis.url}/1`);
  await queueIsEmpty(undefined, system);
  await dedup.flushdb();
  const keys = await queue.keys('bull:inbound:*');
  const remembered = keys.filter((key) => /:(de:|evt_)/.test(key));
  if (remembered.length > 0) await queue.del(...remembered);
  await queue.del('bull:inbound:completed');
  dedup.disconnect();
  queue.disconnect();
}

async function queueIsEmpty(t: Test | undefined, system: System): Promise<void> {
  await until(
    async () => {
      const { totals } = await system.api<{ totals: { waiting: number; active: number; delayed: number } }>(
        'metrics-exporter',
        '/api/v1/queues/health',
      );
      return totals.waiting + totals.active + totals.delayed === 0;
    },
    { timeoutMs: 30_000, what: 'every queue to be empty' },
  );
  t?.comment('every queue is empty');
}

async function contactOf(system: System, phone: string): Promise<string> {
  const { items } = await system.api<{ items: { id: string }[] }>(
    'campaign-sender',
    `/api/v1/contacts?address=${phone}`,
  );
  const [found] = items;
  if (!found) throw new Error(`no contact has the number ${phone}`);
  return found.id;
}

function poisonProducer(t: Test, system: System) {
  const connection = new Redis(`${system.redis.url}/1`, { maxRetriesPerRequest: null });
  const producer = createProducer({ connection, prefix: 'bull', logger: silentLogger() });
  t.teardown(async () => {
    await producer.close();
    connection.disconnect();
  });
  return producer;
}
