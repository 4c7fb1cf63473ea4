import { createMysqlDatabase, eachDatabase, isMysqlInstalled, startRedis } from '@switchyard/test-kit';
import t from 'tap';
import { type FlowEvent, message, phoneOf, sentTexts, settled, startEngine } from './helper.ts';

const CONTACTS = 30;

/** Counts what it hears: any loss, repeat or swap changes every answer after it. */
const echo = {
  name: 'Echo',
  triggers: [{ kind: 'keyword', words: ['begin'] }],
  start: 'ask',
  nodes: {
    ask: {
      kind: 'ask',
      text: 'after {{ variables.heard | default: "nothing" }}',
      saveAs: 'last',
      next: 'append',
    },
    append: {
      kind: 'set-variable',
      name: 'heard',
      value: '{{ variables.heard }}{{ variables.last }}.',
      next: 'check',
    },
    check: {
      kind: 'branch',
      cases: [{ when: { variable: 'last', operator: 'equals', value: 'stop' }, next: 'end' }],
      otherwise: 'ask',
    },
    end: { kind: 'end' },
  },
};

const said = ['begin', '1', '2', '3', '4', 'stop', 'nobody listens', 'begin', '5'];
const transcript = [
  'after nothing',
  'after 1.',
  'after 1.2.',
  'after 1.2.3.',
  'after 1.2.3.4.',
  'after nothing',
  'after 5.',
];

/** Deterministic, so that a failure can be looked at. */
function shuffle<T>(items: T[], seed: number): T[] {
  let state = seed;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  for (let at = items.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [items[at], items[other]] = [items[other]!, items[at]!];
  }
  return items;
}

export function stream(seed: number): FlowEvent[] {
  const events = Array.from({ length: CONTACTS }, (_, contact) =>
    said.map((text, index) => message(`con_${contact + 1}`, index + 1, text)),
  ).flat();
  return shuffle([...events, ...events], seed);
}

async function checkTranscripts(t: Test, engine: Engine): Promise<void> {
  const sent = await sentTexts(engine);
  const wrong = Array.from({ length: CONTACTS }, (_, contact) => phoneOf(`con_${contact + 1}`)).filter(
    (phone) => JSON.stringify(sent.get(phone)) !== JSON.stringify(transcript),
  );
  t.strictSame(
    wrong.map((phone) => [phone, sent.get(phone)]),
    [],
    'every transcript is that of a run in order',
  );
}

type Test = Parameters<Parameters<typeof eachDatabase>[2]>[0];
type Engine = Awaited<ReturnType<typeof startEngine>>;

eachDatabase(
  t,
  'events that come shuffled and twice are applied in order and once: promise 2',
  async (t, database) => {
    const engine = await startEngine(t, database);
    await engine.publish(echo);
    await Promise.all(stream(7).map((event) => engine.tell(event)));
    await settled(engine);
    await checkTranscripts(t, engine);
  },
);

t.test(
  'two replicas share the contacts of one MySQL and keep each conversation in order',
  isMysqlInstalled() || process.env.TEST_MYSQL_URL || process.env.CI ? {} : { skip: 'needs MySQL' },
  async (t) => {
    const database = await createMysqlDatabase(t);
    const redis = await startRedis(t);
    const [one, two] = await Promise.all([
      startEngine(t, database, { redis }),
      startEngine(t, database, { redis }),
    ]);
    const flows = await one.call('GET', '/api/v1/flows');
    t.match(flows.data, [{ id: 'flow_welcome', publishedVersion: 1 }]);
    t.equal((flows.data as unknown[]).length, 1, 'replicas that start at once install one welcome flow');
    await one.publish(echo);
    await Promise.all(stream(11).map((event, index) => (index % 2 ? one : two).tell(event)));
    await settled(one);
    await checkTranscripts(t, one);
  },
);

eachDatabase(
  t,
  'a conversation waits for a missing event, and no longer than it should',
  async (t, database) => {
    const engine = await startEngine(t, database, { env: { FLOW_GAP_WAIT_MS: '2500' } });
    await engine.publish(echo);
    const phone = phoneOf('con_1');
    await engine.tell(message('con_1', 1, 'begin'));
    await settled(engine);
    await engine.tell(message('con_1', 3, 'c'));
    const { database: db } = engine.runtime;
    const waits = await db.db.selectFrom('inbox').select('id').execute();
    t.ok(waits.length <= 1);
    t.strictSame((await sentTexts(engine)).get(phone), ['after nothing']);
    await engine.tell(message('con_1', 2, 'b'));
    await settled(engine);
    t.strictSame((await sentTexts(engine)).get(phone), ['after nothing', 'after b.', 'after b.c.']);

    await engine.tell(message('con_1', 5, 'e'));
    await settled(engine);
    t.strictSame(
      (await sentTexts(engine)).get(phone)?.at(-1),
      'after b.c.e.',
      'it goes on without the fourth',
    );
    await engine.tell(message('con_1', 4, 'd'));
    await settled(engine);
    t.strictSame((await sentTexts(engine)).get(phone)?.at(-1), 'after b.c.e.d.', 'a late one still counts');
    const metrics = await engine.runtime.app.inject('/metrics');
    t.match(metrics.body, /switchyard_flow_sequence_gaps_total\{outcome="given-up"[^}]*\} 1/);
    t.match(metrics.body, /switchyard_flow_sequence_gaps_total\{outcome="late"[^}]*\} 1/);
  },
);
