import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { message, phoneOf, sentTexts, settled, startEngine } from './helper.ts';

const patient = {
  name: 'Patient',
  triggers: [{ kind: 'keyword', words: ['patience'] }],
  start: 'nap',
  nodes: {
    nap: { kind: 'wait', seconds: 1, next: 'ask' },
    ask: { kind: 'ask', text: 'Well?', saveAs: 'x', timeoutSeconds: 1, onTimeout: 'late', next: 'thanks' },
    thanks: { kind: 'send', text: 'Thanks', next: 'end' },
    late: { kind: 'send', text: 'Too late', next: 'end' },
    end: { kind: 'end' },
  },
};

eachDatabase(t, 'runs go on when their time has come, and replay like all others', async (t, database) => {
  const engine = await startEngine(t, database);
  await engine.publish(patient);
  const contacts = ['con_1', 'con_2', 'con_3'];
  for (const contact of contacts) await engine.tell(message(contact, 1, 'patience'));
  await until(
    async () => {
      const sent = await sentTexts(engine);
      return contacts.every((contact) => sent.get(phoneOf(contact))?.length === 2);
    },
    { what: 'both timers', timeoutMs: 20_000 },
  );
  t.strictSame((await sentTexts(engine)).get(phoneOf('con_1')), ['Well?', 'Too late']);
  await settled(engine);
  const { data } = await engine.call('GET', '/api/v1/runs?status=finished');
  const runs = data as { id: string; inputs: number }[];
  t.equal(runs.length, 3);
  for (const { id, inputs } of runs) {
    t.equal(inputs, 3);
    t.strictSame((await engine.call('POST', `/api/v1/runs/${id}/replay`)).data, {
      identical: true,
      inputs: 3,
    });
  }
});

eachDatabase(t, 'who has opted out starts nothing, and what runs for them stops', async (t, database) => {
  const engine = await startEngine(t, database);
  await engine.tell(message('con_1', 1, 'hello'));
  await settled(engine);
  const stop = message('con_1', 2, 'STOP');
  await engine.tell({ ...stop, contact: { ...stop.contact, optedOut: true } });
  const again = message('con_1', 3, 'hello');
  await engine.tell({ ...again, contact: { ...again.contact, optedOut: true } });
  await settled(engine);
  t.equal((await sentTexts(engine)).get(phoneOf('con_1'))?.length, 1);
  t.match((await engine.call('GET', '/api/v1/runs')).data, [
    { status: 'cancelled', reasonCode: 'OPTED_OUT' },
  ]);
});

eachDatabase(
  t,
  'a run is started by a job, once per start id, with values to begin with',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const flowId = await engine.publish({
      name: 'Order',
      triggers: [],
      start: 'a',
      nodes: {
        a: { kind: 'send', text: 'Order {{ variables.order }} is on its way', next: 'b' },
        b: { kind: 'set-attribute', name: 'lastOrder', value: '{{ variables.order }}', next: 'c' },
        c: { kind: 'tag', add: ['buyer'], next: 'd' },
        d: { kind: 'end' },
      },
    });
    const { contact } = message('con_1', 1, '');
    for (const startId of ['start_1', 'start_1', 'start_2']) {
      await engine.runtime.producer.add({
        queue: 'flows',
        name: 'start-run',
        payload: { merchantId: 'default', startId, flowId, contact, input: { order: '#17', deep: { x: 1 } } },
        options: { jobId: `${startId}-${Math.random()}` },
      });
    }
    await settled(engine);
    t.strictSame((await sentTexts(engine)).get(phoneOf('con_1')), [
      'Order #17 is on its way',
      'Order #17 is on its way',
    ]);
    const jobs = await engine.runtime.producer.queue('contacts').getJobs(['wait'], 0, -1);
    t.same(jobs.map(({ name }) => name).sort(), [
      'set-attributes',
      'set-attributes',
      'tag-contact',
      'tag-contact',
    ]);
    const [run] = (await engine.call('GET', '/api/v1/runs')).data as { id: string }[];
    const own = jobs.filter(({ id }) => id!.startsWith(run!.id));
    t.same(own.map(({ id }) => id).sort(), [`${run!.id}_2`, `${run!.id}_3`]);
    t.match((await engine.call('POST', `/api/v1/runs/${run!.id}/replay`)).data, { identical: true });
  },
);

eachDatabase(t, 'an input that can not be applied is kept aside and holds nobody up', async (t, database) => {
  const engine = await startEngine(t, database);
  await engine.tell(message('con_1', 1, 'hello'));
  await settled(engine);
  const { db } = engine.runtime.database;
  const { state } = await db.selectFrom('runs').select('state').executeTakeFirstOrThrow();
  // What no input could do: the row of the run is broken.
  await db.updateTable('runs').set({ state: '{broken' }).execute();
  await engine.tell(message('con_1', 2, 'my order'));
  await settled(engine);
  const failed = await engine.call('GET', '/api/v1/failed-jobs');
  const { failedJobs } = failed.data as { failedJobs: { id: string; name: string }[] };
  t.match(failedJobs, [{ name: 'handle-event' }]);
  t.match(await db.selectFrom('runs').select('status').execute(), [{ status: 'failed' }]);
  await engine.tell(message('con_1', 3, 'hello'));
  await settled(engine);
  t.equal((await sentTexts(engine)).get(phoneOf('con_1'))?.length, 2, 'the conversation goes on');

  // Mended, it can be tried again by hand.
  await db.updateTable('runs').set({ state }).where('status', '=', 'failed').execute();
  await engine.call('POST', `/api/v1/failed-jobs/${failedJobs[0]!.id}/retry`);
  await until(async () => (await sentTexts(engine)).get(phoneOf('con_1'))?.length === 3, {
    what: 'the input to be applied',
  });
  t.equal(
    (await sentTexts(engine)).get(phoneOf('con_1'))?.at(-1),
    'Please send us your order number, and we will look it up.',
  );
});
