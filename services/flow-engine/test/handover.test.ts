import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import {
  type Engine,
  happening,
  jobsIn,
  message,
  phoneOf,
  sentTexts,
  settled,
  startEngine,
} from './helper.ts';

const end = { kind: 'end' };
const textsOf = async (engine: Engine, contact: string) =>
  (await sentTexts(engine)).get(phoneOf(contact)) ?? [];

const setHandler = (engine: Engine, changeId: string, contactId: string, handler: 'person' | 'automation') =>
  engine.runtime.producer.add({
    queue: 'flows',
    name: 'set-handover',
    payload: { merchantId: 'default', changeId, contactId, handler },
  });

eachDatabase(
  t,
  'automation rests while a person answers, and goes on when it is released',
  async (t, database) => {
    const engine = await startEngine(t, database);
    await engine.publish({
      name: 'Support',
      priority: 1,
      triggers: [{ kind: 'keyword', words: ['person'] }],
      start: 'over',
      nodes: {
        over: { kind: 'hand-over', reason: 'asked for one', next: 'back' },
        back: { kind: 'send', text: 'I am back', next: 'end' },
        end,
      },
    });
    await engine.tell(message('con_1', 1, 'person'));
    await settled(engine);
    const [handover] = (await jobsIn(engine, 'contacts')).filter(({ name }) => name === 'set-handover');
    t.match(handover?.payload, { contactId: 'con_1', handler: 'person', reason: 'asked for one' });
    await engine.tell(message('con_1', 2, 'hello'));
    await settled(engine);
    t.strictSame(await textsOf(engine, 'con_1'), [], 'nothing starts');
    const key = `wh:session:${phoneOf('con_1')}`;
    const session = JSON.parse((await engine.runtime.redis.cache.get(key)) ?? '{}');
    t.match(session, { status: 'handed-over', messages: [{ content: 'person' }, { content: 'hello' }] });

    await setHandler(engine, 'hov_1', 'con_1', 'automation');
    await setHandler(engine, 'hov_1', 'con_1', 'automation');
    await settled(engine);
    t.strictSame(await textsOf(engine, 'con_1'), ['I am back']);
    await engine.tell(message('con_1', 3, 'hello'));
    await settled(engine);
    t.equal((await textsOf(engine, 'con_1')).length, 2, 'flows start again');
    const runs = (await engine.call('GET', '/api/v1/runs?status=finished')).data as { id: string }[];
    t.match((await engine.call('POST', `/api/v1/runs/${runs[0]!.id}/replay`)).data, { identical: true });
  },
);

eachDatabase(
  t,
  'what comes due, or happens, while a person answers is held until automation is back',
  async (t, database) => {
    const engine = await startEngine(t, database);
    await engine.publish({
      name: 'Reminder',
      triggers: [{ kind: 'keyword', words: ['remind'] }],
      start: 'wait',
      nodes: {
        wait: { kind: 'wait', seconds: 1, next: 'say' },
        say: { kind: 'send', text: 'You wanted to be reminded', next: 'end' },
        end,
      },
    });
    await engine.publish({
      name: 'Checkout',
      triggers: [{ kind: 'shopify', topics: ['checkouts/create'] }],
      start: 'wait',
      nodes: {
        wait: {
          kind: 'wait-for-event',
          events: [{ kind: 'shopify', names: ['orders/create'], next: 'thanks' }],
          timeoutSeconds: 3600,
          onTimeout: 'end',
        },
        thanks: { kind: 'send', text: 'Thanks for your order', next: 'end' },
        end,
      },
    });
    await engine.tell(message('con_1', 1, 'remind'));
    await engine.tell(happening('con_1', 2, 'shopify', 'checkouts/create', { id: 1 }));
    await settled(engine);
    await setHandler(engine, 'hov_1', 'con_1', 'person');
    await settled(engine);
    await engine.tell(happening('con_1', 3, 'shopify', 'orders/create', { id: 1 }));
    const { db } = engine.runtime.database;
    await until(
      async () =>
        (await db.selectFrom('runs').select('id').where('heldInput', 'is not', null).execute()).length === 2,
      { what: 'both to be held' },
    );
    t.strictSame(await textsOf(engine, 'con_1'), []);
    await setHandler(engine, 'hov_2', 'con_1', 'automation');
    await until(
      async () => {
        const { data } = await engine.call('GET', '/api/v1/runs?status=finished');
        return (data as unknown[]).length === 2;
      },
      { what: 'both runs to end' },
    );
    await settled(engine);
    t.match((await engine.call('GET', '/api/v1/runs')).data, [
      { status: 'finished' },
      { status: 'finished' },
    ]);
    for (const { id } of (await engine.call('GET', '/api/v1/runs')).data as { id: string }[])
      t.match((await engine.call('POST', `/api/v1/runs/${id}/replay`)).data, { identical: true });
  },
);

eachDatabase(t, "a person's time runs out, and what was held goes on by itself", async (t, database) => {
  const engine = await startEngine(t, database);
  await engine.publish({
    name: 'Reminder',
    triggers: [{ kind: 'keyword', words: ['remind'] }],
    start: 'wait',
    nodes: {
      wait: { kind: 'wait', seconds: 1, next: 'say' },
      say: { kind: 'send', text: 'You wanted to be reminded', next: 'end' },
      end,
    },
  });
  await engine.tell(message('con_1', 1, 'remind'));
  await settled(engine);
  await engine.runtime.producer.add({
    queue: 'flows',
    name: 'set-handover',
    payload: {
      merchantId: 'default',
      changeId: 'hov_1',
      contactId: 'con_1',
      handler: 'person',
      untilMs: Date.now() + 4000,
    },
  });
  await settled(engine);
  const { db } = engine.runtime.database;
  await until(
    async () => (await db.selectFrom('runs').select('heldInput').executeTakeFirst())?.heldInput != null,
    { what: 'the reminder to be held' },
  );
  t.strictSame(await textsOf(engine, 'con_1'), []);
  await until(async () => (await textsOf(engine, 'con_1')).length > 0, { what: 'the reminder' });
  t.strictSame(await textsOf(engine, 'con_1'), ['You wanted to be reminded']);
});
