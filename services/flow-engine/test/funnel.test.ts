import { eachDatabase } from '@switchyard/test-kit';
import t from 'tap';
import { dayOf } from '../src/statistics/add-counts.ts';
import { createFlowStatistics, type Funnel } from '../src/statistics/create-flow-statistics.ts';
import { type Engine, message, phoneOf, settled, startEngine } from './helper.ts';

const survey = {
  name: 'Survey',
  triggers: [{ kind: 'keyword', words: ['begin'] }],
  start: 'name',
  nodes: {
    name: { kind: 'ask', text: 'Your name?', saveAs: 'name', next: 'age' },
    age: {
      kind: 'ask',
      text: 'Your age?',
      saveAs: 'age',
      expect: 'number',
      onInvalid: 'bad',
      next: 'thanks',
    },
    // A name is no number: the run fails here.
    bad: { kind: 'set-variable', name: 'n', value: '{{ variables.name }}', type: 'number', next: 'end' },
    thanks: { kind: 'send', text: 'Thanks', next: 'end' },
    end: { kind: 'end' },
  },
};

async function funnelOf(engine: Engine, id: string, query = ''): Promise<Funnel> {
  const { status, data } = await engine.call('GET', `/api/v1/flows/${id}/funnel${query}`);
  if (status !== 200) throw new Error(`answered ${status}`);
  return data;
}

/** The invariant, and that counters say what the runs themselves say. */
async function adds(t: { same: (a: unknown, b: unknown, m: string) => void }, engine: Engine, id: string) {
  const { entered, waiting, finished, failed, cancelled, dropped } = await funnelOf(engine, id);
  t.same(entered, waiting + finished + dropped, 'what entered is what waits, finished and was dropped');
  const rows = await engine.runtime.database.db
    .selectFrom('runs')
    .select(['status'])
    .where('flowId', '=', id)
    .execute();
  const of = (status: string) => rows.filter((row) => row.status === status).length;
  t.same(
    [waiting, finished, failed, cancelled],
    ['waiting', 'finished', 'failed', 'cancelled'].map(of),
    'the counters say what the runs say',
  );
}

await eachDatabase(
  t,
  'a funnel adds up at every moment, and shows where runs are lost',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const id = await engine.publish(survey);
    const people = Array.from({ length: 30 }, (_, index) => `con_${index + 1}`);
    const say = (to: string[], sequence: number, text: string) =>
      Promise.all(to.map((contact) => engine.tell(message(contact, sequence, text))));

    await say(people, 1, 'begin');
    await settled(engine);
    t.match(await funnelOf(engine, id), { entered: 30, waiting: 30, finished: 0, dropped: 0 });
    await say(people.slice(0, 20), 2, 'Ada');
    await settled(engine);
    await adds(t, engine, id);
    await say(people.slice(0, 10), 3, '36');
    await say(people.slice(10, 14), 3, 'none of your business');
    await settled(engine);
    await adds(t, engine, id);

    const contact = (name: string) => ({
      id: name,
      address: phoneOf(name),
      phone: phoneOf(name),
      optedOut: true,
    });
    await engine.tell(message('con_15', 3, 'stop', { contact: contact('con_15') }));
    const runs = await engine.call('GET', '/api/v1/runs?contactId=con_16');
    await engine.call('POST', `/api/v1/runs/${(runs.data as { id: string }[])[0]!.id}/cancel`);
    await settled(engine);
    await adds(t, engine, id);

    const funnel = await funnelOf(engine, id);
    t.match(funnel, { entered: 30, waiting: 14, finished: 10, failed: 4, cancelled: 2, dropped: 6 });
    const node = (name: string) => funnel.nodes.find((each) => each.node === name);
    t.match(node('name'), { entered: 30, waiting: 10, dropped: 0 });
    t.match(node('age'), { entered: 20, waiting: 4, cancelled: 2, dropped: 2 });
    t.match(node('bad'), { entered: 4, failed: 4, dropped: 4 });
    t.match(node('thanks'), { entered: 10, dropped: 0 });
    t.same(
      funnel.nodes.map((each) => each.node),
      ['name', 'age', 'bad', 'thanks', 'end'],
      'in the order of the definition',
    );

    const today = new Date().toISOString().slice(0, 10);
    t.match(await funnelOf(engine, id, `?from=${today}&version=1`), { entered: 30, waiting: 14 });
    t.match(await funnelOf(engine, id, '?to=2020-01-01'), { entered: 0, finished: 0, waiting: 14 });
    t.equal((await engine.call('GET', `/api/v1/flows/${id}/funnel?from=yesterday`)).status, 400);
    t.equal((await engine.call('GET', '/api/v1/flows/flow_nobody/funnel')).status, 404);

    // An erased person no longer waits.
    await engine.runtime.producer.add({
      queue: 'flows',
      name: 'erase-person',
      payload: { merchantId: 'default', erasureId: 'era_1', contacts: [{ id: 'con_30' }] },
    });
    await settled(engine);
    t.match(await funnelOf(engine, id), { entered: 30, waiting: 13, cancelled: 3 });
  },
);

await eachDatabase(
  t,
  'days that are long past become one line, and the figures stay',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const { db } = engine.runtime.database;
    const today = dayOf(Date.now());
    const row = { flowId: 'flow_welcome', flowVersion: 1, finished: 1, failed: 0, cancelled: 0 };
    await db
      .insertInto('flowCounters')
      .values(
        [today, today - 399, today - 401, today - 500, today - 1000].flatMap((day) =>
          [0, 1].map((shard) => ({ ...row, node: '', day, shard, entered: 3, waiting: 2 })),
        ),
      )
      .execute();
    const before = await funnelOf(engine, 'flow_welcome');
    t.match(before, { entered: 30, waiting: 20, finished: 10 });
    const statistics = createFlowStatistics(engine.runtime.database);
    t.equal(await statistics.fold(Date.now()), 6);
    t.same(await funnelOf(engine, 'flow_welcome'), before);
    const rows = await db.selectFrom('flowCounters').select('day').execute();
    t.same(
      rows.map(({ day }) => day).toSorted((a, b) => a - b),
      [0, 0, today - 399, today - 399, today, today],
    );
    t.equal(await statistics.fold(Date.now()), 0, 'once is enough');
  },
);
