import { eachDatabase, spawnNode, startRedis, until } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import t from 'tap';
import { environment, message, phoneOf, requestsWaiting, sentTexts, settled, startEngine } from './helper.ts';

const main = new URL('../src/main.ts', import.meta.url);
const CONTACTS = 60;
const said = ['hello', 'my order', 'hello', 'a product', 'hello', 'blue socks'];
const transcript = [
  'Hello Ada! 👋 What can we help you with?',
  'Please send us your order number, and we will look it up.',
  'Hello Ada! 👋 What can we help you with?',
  'Tell us what you are looking for, and we will send you a selection.',
  'Hello Ada! 👋 What can we help you with?',
  'Thank you! We have noted: “blue socks”. We will get back to you soon.',
];

eachDatabase(
  t,
  'a process that is killed in the middle loses nothing and repeats nothing: promise 2',
  async (t, database) => {
    const redis = await startRedis(t);
    const env = { FLOW_LEASE_MS: '2000' };
    // Set up by a process that then stops, so that the first to be killed finds everything in place.
    const setUp = await startEngine(t, database, { redis, env });
    await setUp.runtime.close();

    const client = new Redis(redis.url, { db: 1 });
    t.teardown(() => client.disconnect());
    let child = spawnNode(t, main, { env: environment(redis, database, env) });
    await child.waitForLine(/listening/i);
    const { createProducer } = await import('@switchyard/jobs');
    const { silentLogger } = await import('@switchyard/test-kit');
    const producer = createProducer({ connection: client, prefix: 'bull', logger: silentLogger() });
    t.teardown(() => producer.close());
    const events = Array.from({ length: CONTACTS }, (_, contact) =>
      said.map((text, index) => message(`con_${contact + 1}`, index + 1, text)),
    ).flat();
    const added = Promise.all(
      events.map((payload) => producer.add({ queue: 'flows', name: 'handle-event', payload })),
    );
    let kills = 0;
    for (const share of [0.15, 0.5]) {
      await until(
        async () => (await requestsWaiting(producer)).size >= share * CONTACTS * transcript.length,
        { what: 'work to be under way', timeoutMs: 30_000, intervalMs: 5 },
      );
      await child.kill('SIGKILL');
      kills += 1;
      child = spawnNode(t, main, { env: environment(redis, database, env) });
    }
    await added;
    await child.waitForLine(/listening/i);
    t.equal(kills, 2);
    await until(async () => (await requestsWaiting(producer)).size >= CONTACTS * transcript.length, {
      what: 'every message to be asked for',
      timeoutMs: 30_000,
      intervalMs: 50,
    });
    await child.kill('SIGTERM');
    const after = await startEngine(t, database, { redis, env });
    await settled(after);
    const sent = await sentTexts(after);
    const wrong = Array.from({ length: CONTACTS }, (_, contact) => phoneOf(`con_${contact + 1}`)).filter(
      (phone) => JSON.stringify(sent.get(phone)) !== JSON.stringify(transcript),
    );
    t.strictSame(
      wrong.map((phone) => [phone, sent.get(phone)]),
      [],
      'every transcript is that of a run without faults',
    );
    const failed = await after.call('GET', '/api/v1/failed-jobs');
    t.strictSame((failed.data as { failedJobs: unknown[] }).failedJobs, []);
  },
);
