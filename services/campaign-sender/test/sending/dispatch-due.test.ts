import type { JobPayload, JobToAdd } from '@switchyard/jobs';
import { createSqliteDatabase, eachDatabase, silentLogger, startRedis } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { buildApp, loadServiceConfig } from '../../src/index.ts';
import { createWakeUps } from '../../src/messages/create-wake-ups.ts';
import { createAdmission } from '../../src/pacing/create-admission.ts';
import { paceOfThroughput } from '../../src/pacing/pace.ts';
import { createReadySet } from '../../src/pacing/ready-set.ts';
import { createDispatcher } from '../../src/sending/dispatch-due.ts';
import { findBacklogs } from '../../src/sending/find-due.ts';
import { startSurroundings } from '../helper.ts';
import { fillBacklog, fillNumbers, fillPeople, senderIdOf } from '../load/fill-tables.ts';

const messagesOf = ({ payload }: JobToAdd) =>
  (payload as JobPayload<'messages', 'deliver-messages'>).messages;

type Database = Parameters<Parameters<typeof eachDatabase>[2]>[1];

async function stand(t: Test, database: Database, perSecond = 10) {
  const around = await startSurroundings(t, database);
  const service = await buildApp(loadServiceConfig(around.env), { logger: silentLogger() });
  t.teardown(() => service.close());
  const client = new Redis(`${around.redis.url}/1`);
  t.teardown(() => client.disconnect());
  const { db, dialect } = service.database;
  const admission = createAdmission(client, '');
  const woken: { messageId: string; turn: number }[] = [];
  let nowMs = Date.now() + 1000;
  const dispatcher = createDispatcher({
    store: { db, dialect, now: () => nowMs, inScope: () => Promise.reject(new Error('not used')) },
    producer: { addMany: async (jobs) => void woken.push(...jobs.flatMap(messagesOf)) },
    senders: {
      byId: async (id) =>
        ({ id, isPaused: id === senderIdOf(9), pace: paceOfThroughput(perSecond) }) as never,
    },
    ready: createReadySet(client, ''),
    wakeUps: createWakeUps(),
    waiting: async () => 0,
  });
  await fillNumbers(db, around.env, 10, 10);
  return {
    db,
    dispatcher,
    admission,
    woken,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

void eachDatabase(t, 'a number gets what its rate allows, half a second ahead', async (t, database) => {
  const { db, dispatcher, woken, pass } = await stand(t, database);
  await fillPeople(db, 3, 3);
  await fillBacklog(db, { count: 90, people: 3, numbers: 3 });
  await dispatcher.recall();
  await dispatcher.dispatch();
  t.ok(woken.length >= 15 && woken.length <= 18, `${woken.length} of three numbers at once`);
  await dispatcher.dispatch();
  const first = woken.length;
  t.ok(first <= 18, 'nothing more before its time');
  for (let visit = 0; visit < 10; visit += 1) {
    pass(100);
    await dispatcher.dispatch();
  }
  t.ok(woken.length - first >= 24 && woken.length - first <= 33, 'a second later a second of their rates');
  t.equal(new Set(woken.map(({ messageId }) => messageId)).size, woken.length, 'each once');
});

void eachDatabase(
  t,
  'of a fast number it hands out what is wanting of half a second, whatever became of what it gave before',
  async (t, database) => {
    const { db, dispatcher, woken, pass } = await stand(t, database, 1000);
    await fillPeople(db, 1, 1);
    await fillBacklog(db, { count: 800, people: 1, numbers: 1 });
    await dispatcher.recall();
    await dispatcher.dispatch();
    const first = woken.length;
    t.ok(first >= 480 && first <= 500, `${first} at first`);
    pass(100);
    await dispatcher.dispatch();
    t.equal(woken.length, first, 'nothing while none of it has been begun');
    const begun = woken.slice(0, 150).map(({ messageId }) => messageId);
    await db.updateTable('messages').set({ state: 'accepted' }).where('id', 'in', begun).execute();
    pass(100);
    await dispatcher.dispatch();
    t.equal(woken.length, first + 150, 'as many as were begun');
  },
);

t.test('a message that is put off while its number is visited does not put off the others', async (t) => {
  const redis = await startRedis(t);
  const client = new Redis(redis.url);
  t.teardown(() => client.disconnect());
  const ready = createReadySet(client, '');
  await ready.note([
    ['busy', 1000],
    ['empty', 1000],
  ]);
  await ready.take(2000, 10, 5000);
  await ready.note([
    ['busy', 4000],
    ['empty', 5000],
  ]);
  await ready.settle(
    [
      { senderId: 'busy', nextAtMs: 2100 },
      { senderId: 'empty', nextAtMs: undefined },
    ],
    7000,
  );
  t.equal(await ready.nextAtMs(), 2100, 'the next of those that are due');
  t.match(await ready.take(6000, 10, 5000), [
    { senderId: 'busy', readyAtMs: 2100 },
    { senderId: 'empty', readyAtMs: 5000 },
  ]);
});

void eachDatabase(
  t,
  'only numbers with a backlog are found, and a drained one is left alone',
  async (t, database) => {
    const { db, dispatcher, woken, pass } = await stand(t, database);
    await fillPeople(db, 2, 2);
    await fillBacklog(db, { count: 4, people: 2, numbers: 2 });
    t.strictSame([...(await findBacklogs(db)).keys()], [senderIdOf(0), senderIdOf(1)]);
    t.strictSame([...(await findBacklogs(db, senderIdOf(0))).keys()], [senderIdOf(1)]);
    await dispatcher.recall();
    await dispatcher.dispatch();
    t.equal(woken.length, 4);
    await db.updateTable('messages').set({ state: 'accepted', nextAttemptAtMs: null }).execute();
    pass(120_000);
    const visit = await dispatcher.dispatch();
    t.match(visit, { woken: 0 });
    t.equal((await dispatcher.dispatch()).nextAtMs, undefined, 'nobody is to be visited');
    t.strictSame([...(await findBacklogs(db))], []);
  },
);

t.test('a number that must rest is not visited until then', async (t) => {
  const { db, dispatcher, admission, woken } = await stand(t, await createSqliteDatabase(t));
  await fillPeople(db, 1, 1);
  await fillBacklog(db, { count: 5, people: 1, numbers: 1 });
  await admission.hold(senderIdOf(0), 60_000);
  await dispatcher.recall();
  const { nextAtMs } = await dispatcher.dispatch();
  t.equal(woken.length, 0);
  t.ok(nextAtMs! > Date.now() + 50_000);
});
