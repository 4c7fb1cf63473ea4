import type { JobToAdd } from '@switchyard/jobs';
import { createSqliteDatabase, eachDatabase, silentLogger } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { buildApp, loadServiceConfig } from '../../src/index.ts';
import { createAdmission } from '../../src/pacing/create-admission.ts';
import { paceOfThroughput } from '../../src/pacing/pace.ts';
import { createReadySet } from '../../src/pacing/ready-set.ts';
import { createDispatcher } from '../../src/sending/dispatch-due.ts';
import { findBacklogs } from '../../src/sending/find-due.ts';
import { startSurroundings } from '../helper.ts';
import { fillBacklog, fillNumbers, fillPeople, senderIdOf } from '../load/fill-tables.ts';

type Database = Parameters<Parameters<typeof eachDatabase>[2]>[1];

async function stand(t: Test, database: Database) {
  const around = await startSurroundings(t, database);
  const service = await buildApp(loadServiceConfig(around.env), { logger: silentLogger() });
  t.teardown(() => service.close());
  const client = new Redis(`${around.redis.url}/1`);
  t.teardown(() => client.disconnect());
  const { db, dialect } = service.database;
  const admission = createAdmission(client, '');
  const woken: JobToAdd[] = [];
  let nowMs = Date.now() + 1000;
  const dispatcher = createDispatcher({
    store: { db, dialect, now: () => nowMs, inScope: () => Promise.reject(new Error('not used')) },
    producer: { addMany: async (jobs) => void woken.push(...jobs) },
    senders: {
      byId: async (id) => ({ id, isPaused: id === senderIdOf(9), pace: paceOfThroughput(10) }) as never,
    },
    ready: createReadySet(client, ''),
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
  await fillBacklog(db, 90, 3, 3, 0);
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
  t.equal(new Set(woken.map(({ payload }) => JSON.stringify(payload))).size, woken.length, 'each once');
});

void eachDatabase(
  t,
  'only numbers with a backlog are found, and a drained one is left alone',
  async (t, database) => {
    const { db, dispatcher, woken, pass } = await stand(t, database);
    await fillPeople(db, 2, 2);
    await fillBacklog(db, 4, 2, 2, 0);
    t.strictSame((await findBacklogs(db)).toSorted(), [senderIdOf(0), senderIdOf(1)]);
    await dispatcher.recall();
    await dispatcher.dispatch();
    t.equal(woken.length, 4);
    await db.updateTable('messages').set({ state: 'accepted', nextAttemptAtMs: null }).execute();
    pass(120_000);
    const visit = await dispatcher.dispatch();
    t.match(visit, { woken: 0 });
    t.equal((await dispatcher.dispatch()).nextAtMs, undefined, 'nobody is to be visited');
    t.strictSame(await findBacklogs(db), []);
  },
);

t.test('a number that must rest is not visited until then', async (t) => {
  const { db, dispatcher, admission, woken } = await stand(t, await createSqliteDatabase(t));
  await fillPeople(db, 1, 1);
  await fillBacklog(db, 5, 1, 1, 0);
  await admission.hold(senderIdOf(0), 60_000);
  await dispatcher.recall();
  const { nextAtMs } = await dispatcher.dispatch();
  t.equal(woken.length, 0);
  t.ok(nextAtMs! > Date.now() + 50_000);
});
