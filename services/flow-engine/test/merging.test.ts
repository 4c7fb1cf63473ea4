import { createMysqlDatabase, eachDatabase, isMysqlInstalled, startRedis, until } from '@switchyard/test-kit';
import t from 'tap';
import { leaseName } from '../src/conversations/create-inbox.ts';
import {
  type Engine,
  type FlowEvent,
  happening,
  message,
  phoneOf,
  sentTexts,
  settled,
  startEngine,
} from './helper.ts';

const end = { kind: 'end' };
/** Tells what it has heard so far: a loss, a repeat or a swap changes every answer after it. */
const echo = {
  name: 'Echo',
  triggers: [{ kind: 'keyword', words: ['begin'] }],
  start: 'ask',
  nodes: {
    ask: { kind: 'ask', text: 'after {{ variables.heard }}', saveAs: 'last', next: 'append' },
    append: {
      kind: 'set-variable',
      name: 'heard',
      value: '{{ variables.heard }}{{ variables.last }}.',
      next: 'ask',
    },
  },
};

interface Run {
  id: string;
  contactId: string;
  status: string;
  reasonCode: string | null;
}
const runsOf = async (engine: Engine) => (await engine.call('GET', '/api/v1/runs')).data as Run[];

/** Word that `con_2` has become `con_1`. */
const merged = (sequence: number, mergedSequence: number, overrides: Partial<FlowEvent> = {}) =>
  happening(
    'con_1',
    sequence,
    'contact',
    'contact.merged',
    { mergedContactId: 'con_2', mergedSequence },
    { eventId: 'merged_con_2', handler: 'automation', ...overrides },
  );

eachDatabase(
  t,
  'the run of a contact that was merged away hears the answer that its survivor gives, and is replayed the same',
  async (t, database) => {
    const engine = await startEngine(t, database);
    await engine.publish(echo);
    await engine.tell(message('con_1', 1, 'nothing'));
    await engine.tell(message('con_2', 1, 'begin'));
    await engine.tell(message('con_2', 2, 'a'));
    await settled(engine);
    await engine.tell(merged(2, 2));
    await engine.tell(merged(2, 2));
    await engine.tell(message('con_1', 3, 'b'));
    await settled(engine);
    const [run, ...others] = await runsOf(engine);
    t.strictSame(others, []);
    t.match(run, { contactId: 'con_1', status: 'waiting' });
    const sent = await sentTexts(engine);
    t.strictSame(sent.get(phoneOf('con_2')), ['after ', 'after a.']);
    t.strictSame(sent.get(phoneOf('con_1')), ['after a.b.']);
    t.match((await engine.call('POST', `/api/v1/runs/${run!.id}/replay`)).data, {
      identical: true,
      inputs: 3,
    });
    const { db } = engine.runtime.database;
    const rows = await db.selectFrom('conversations').selectAll().orderBy('contactId').execute();
    t.match(rows, [
      { contactId: 'con_1', mergedIntoId: null, lastSequence: 3 },
      { contactId: 'con_2', mergedIntoId: 'con_1', session: '[]', sendQueue: null },
    ]);
    t.match(
      JSON.parse(rows[0]!.session).map(({ content }: { content: string }) => content),
      ['nothing', 'begin', 'after ', 'a', 'after a.', 'b', 'after a.b.'],
      'one session, the older part first',
    );
    t.match(JSON.parse((await engine.runtime.redis.cache.get(`wh:session:${phoneOf('con_1')}`)) ?? '{}'), {
      status: 'active',
      messages: { length: 7 },
    });
  },
);

eachDatabase(
  t,
  'what was accepted before a merge is applied before it, in order, however late it comes',
  async (t, database) => {
    const engine = await startEngine(t, database);
    await engine.publish(echo);
    const other = await engine.publish({
      ...echo,
      name: 'Other',
      triggers: [{ kind: 'api' }],
      exclusion: { group: 'other' },
    });
    await engine.tell(merged(1, 4));
    await engine.tell(message('con_1', 2, 'e'));
    await until(
      async () => (await engine.runtime.database.db.selectFrom('inbox').select('id').execute()).length === 2,
      { what: 'both to wait' },
    );
    for (const [sequence, text] of [
      [4, 'c'],
      [2, 'a'],
      [3, 'b'],
      [1, 'begin'],
    ] as const)
      await engine.tell(message('con_2', sequence, text));
    await settled(engine);
    t.equal((await sentTexts(engine)).get(phoneOf('con_1'))?.at(-1), 'after a.b.c.e.');

    // What was given up waiting for, and comes to the contact that there was: a call's result, an event, a start.
    await engine.tell(message('con_2', 5, 'late'));
    await settled(engine);
    t.equal(
      (await sentTexts(engine)).get(phoneOf('con_2'))?.at(-1),
      'after a.b.c.e.late.',
      'where they write from',
    );
    t.match(await runsOf(engine), [{ contactId: 'con_1', status: 'waiting' }]);
    const { contact } = message('con_2', 1, '');
    await engine.runtime.producer.add({
      queue: 'flows',
      name: 'start-run',
      payload: {
        merchantId: 'default',
        startId: 'start_1',
        flowId: other,
        contact,
      },
    });
    await settled(engine);
    t.strictSame(
      (await runsOf(engine)).map(({ contactId }) => contactId),
      ['con_1', 'con_1'],
    );
  },
);

eachDatabase(
  t,
  'of two runs that exclude each other the one that moved last goes on; a contact merged twice leads to the last',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const waits = (name: string, group?: string) => ({
      name,
      ...(group === undefined ? {} : { exclusion: { group } }),
      triggers: [{ kind: 'custom-event', names: [name] }],
      start: 'wait',
      nodes: { wait: { kind: 'wait', seconds: 86_400, next: 'end' }, end },
    });
    await engine.publish(echo);
    await engine.publish(waits('sale', 'sale'));
    await engine.publish(waits('free'));
    await engine.tell(message('con_1', 1, 'begin'));
    await engine.tell(happening('con_1', 2, 'custom', 'free', {}));
    await settled(engine);
    await engine.tell(happening('con_2', 1, 'custom', 'sale', {}));
    await engine.tell(message('con_2', 2, 'begin'));
    await engine.tell(happening('con_2', 3, 'custom', 'free', {}));
    await settled(engine);
    await engine.tell(happening('con_1', 3, 'custom', 'sale', {}));
    await settled(engine);
    const before = await runsOf(engine);
    t.equal(before.length, 6);
    await engine.tell(merged(4, 3));
    await settled(engine);
    const after = await runsOf(engine);
    t.ok(after.every(({ contactId }) => contactId === 'con_1'));
    const cancelled = after.filter(({ status }) => status === 'cancelled');
    t.strictSame(
      cancelled.map(({ reasonCode }) => reasonCode),
      ['MERGED', 'MERGED'],
    );
    const was = (id: string) => before.find((each) => each.id === id)?.contactId;
    t.strictSame(cancelled.map(({ id }) => was(id)).toSorted(), ['con_1', 'con_2'], 'the older of each pair');

    await engine.tell(
      happening('con_3', 1, 'contact', 'contact.merged', { mergedContactId: 'con_1', mergedSequence: 4 }),
    );
    await settled(engine);
    await engine.tell(message('con_2', 4, 'answer'));
    await settled(engine);
    const last = await runsOf(engine);
    t.ok(last.every(({ contactId }) => contactId === 'con_3'));
    t.equal((await sentTexts(engine)).get(phoneOf('con_2'))?.at(-1), 'after answer.');
    const metrics = await engine.runtime.app.inject('/metrics');
    t.match(metrics.body, /switchyard_flow_events_total\{outcome="moved"/);
  },
);

eachDatabase(
  t,
  'a merge waits while another process is at work for the merged contact, and holds up nobody else',
  async (t, database) => {
    const engine = await startEngine(t, database);
    await engine.publish(echo);
    await engine.tell(message('con_2', 1, 'begin'));
    await settled(engine);
    const { leases } = engine.runtime;
    const held = { merchantId: 'default', contactId: 'con_2' };
    const lease = await leases.acquire(leaseName(held), { owner: 'another', ttlMs: 600_000 });
    await engine.tell(merged(1, 1));
    await engine.tell(message('con_1', 2, 'a'));
    await engine.tell(message('con_3', 1, 'begin'));
    await until(async () => (await sentTexts(engine)).get(phoneOf('con_3'))?.length === 1, {
      what: 'another conversation to go on',
    });
    t.match(await runsOf(engine), [{ contactId: 'con_3' }, { contactId: 'con_2' }]);
    t.ok(await leases.release(lease!));
    await settled(engine);
    t.strictSame((await sentTexts(engine)).get(phoneOf('con_1')), ['after a.']);
  },
);

eachDatabase(
  t,
  'who is merged with somebody whom a person answers is left to that person; if nobody is, what was held goes on',
  async (t, database) => {
    const engine = await startEngine(t, database);
    await engine.publish({
      name: 'Person',
      triggers: [{ kind: 'keyword', words: ['help'] }],
      start: 'over',
      nodes: {
        over: { kind: 'hand-over', timeoutSeconds: 86_400, next: 'back' },
        back: { kind: 'send', text: 'back', next: 'end' },
        end,
      },
    });
    await engine.tell(message('con_2', 1, 'help'));
    await engine.tell(message('con_4', 1, 'help'));
    await settled(engine);
    await engine.tell(merged(1, 1, { handler: 'person' }));
    await engine.tell(message('con_1', 2, 'help'));
    await engine.tell(
      happening(
        'con_3',
        1,
        'contact',
        'contact.merged',
        { mergedContactId: 'con_4', mergedSequence: 1 },
        { handler: 'automation' },
      ),
    );
    await settled(engine);
    const rows = await engine.runtime.database.db
      .selectFrom('conversations')
      .select(['contactId', 'handler'])
      .where('mergedIntoId', 'is', null)
      .orderBy('contactId')
      .execute();
    t.strictSame(
      rows.map(({ contactId, handler }) => [contactId, handler]),
      [
        ['con_1', 'person'],
        ['con_3', 'automation'],
      ],
    );
    t.match(
      (await runsOf(engine)).toSorted((a, b) => (a.contactId < b.contactId ? -1 : 1)),
      [
        { contactId: 'con_1', status: 'waiting' },
        { contactId: 'con_3', status: 'finished' },
      ],
    );
    t.strictSame((await sentTexts(engine)).get(phoneOf('con_3')), ['back']);
  },
);

t.test(
  'two replicas merge contacts while they talk: every transcript is that of one conversation',
  isMysqlInstalled() || process.env.TEST_MYSQL_URL || process.env.CI ? {} : { skip: 'needs MySQL' },
  async (t) => {
    const CONTACTS = 12;
    const database = await createMysqlDatabase(t);
    const redis = await startRedis(t);
    const [one, two] = await Promise.all([
      startEngine(t, database, { redis }),
      startEngine(t, database, { redis }),
    ]);
    await one.publish(echo);
    const events = Array.from({ length: CONTACTS }, (_, index) => {
      const [old, stays] = [`con_${index + 100}`, `con_${index + 1}`];
      return [
        message(stays, 3, 'd'),
        message(old, 2, 'a'),
        happening(stays, 1, 'contact', 'contact.merged', { mergedContactId: old, mergedSequence: 3 }),
        message(old, 3, 'b'),
        message(stays, 2, 'c'),
        message(old, 1, 'begin'),
      ];
    });
    const all = events.flatMap((theirs) => [...theirs, ...theirs]);
    await Promise.all(all.map((event, index) => (index % 2 ? one : two).tell(event)));
    await settled(one);
    const sent = await sentTexts(one);
    for (let index = 0; index < CONTACTS; index += 1)
      t.equal(sent.get(phoneOf(`con_${index + 1}`))?.at(-1), 'after a.b.c.d.');
  },
);
