import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { message, phoneOf, settled, startEngine } from './helper.ts';

eachDatabase(
  t,
  'an erased contact leaves no run, no journal and no session; others stay',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const { db } = engine.runtime.database;
    for (const contact of ['con_1', 'con_2']) await engine.tell(message(contact, 1, 'hello'));
    await settled(engine);
    const session = (contact: string) => engine.runtime.redis.cache.exists(`wh:session:${phoneOf(contact)}`);
    await until(async () => (await session('con_1')) === 1, { what: 'the session is copied' });

    const { producer, failedJobs } = engine.runtime;
    const payload = { merchantId: 'default', from: phoneOf('con_1') };
    await producer.queue('flows').add('start-run', { v: 1, payload }, { jobId: 'bad' });
    await until(async () => (await failedJobs.list()).items.length === 1, { what: 'a job fails for good' });

    const erase = (erasureId: string) =>
      engine.runtime.producer.add({
        queue: 'flows',
        name: 'erase-person',
        payload: { merchantId: 'default', erasureId, contacts: [{ id: 'con_1', phone: phoneOf('con_1') }] },
      });
    const told = (erasureId: string) =>
      until(
        async () => {
          const jobs = await engine.runtime.producer.queue('control').getJobs(['waiting']);
          return jobs
            .map((job) => job.data.payload)
            .find((each) => (each as { erasureId?: string }).erasureId === erasureId);
        },
        { what: 'the acknowledgement' },
      );
    await erase('era_1');
    t.match(await told('era_1'), { owner: 'flow-engine', erasedRecords: 2 });
    t.strictSame((await failedJobs.list()).items, []);
    t.equal(await producer.queue('flows').getFailedCount(), 0);
    for (const table of ['runs', 'conversations'] as const)
      t.match(await db.selectFrom(table).select('contactId').execute(), [{ contactId: 'con_2' }], table);
    const runs = await db.selectFrom('runs').select('id').execute();
    const journal = await db.selectFrom('runJournal').select('runId').execute();
    t.ok(journal.every(({ runId }) => runId === runs[0]?.id));
    t.equal(await session('con_1'), 0);
    t.equal(await session('con_2'), 1);

    await erase('era_2');
    t.match(await told('era_2'), { erasedRecords: 0 }, 'again: there is nothing left');
  },
);
