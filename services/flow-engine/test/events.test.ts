import { eachDatabase } from '@switchyard/test-kit';
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
const says = (text: string) => ({ a: { kind: 'send', text, next: 'end' }, end });
const textsOf = async (engine: Engine, contact: string) =>
  (await sentTexts(engine)).get(phoneOf(contact)) ?? [];
const runsOf = async (engine: Engine) =>
  (await engine.call('GET', '/api/v1/runs')).data as {
    id: string;
    flowId: string;
    status: string;
    reasonCode: string | null;
  }[];

eachDatabase(
  t,
  'events of shops, systems and contacts start every flow that is meant, and what a flow changed does not set it off',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const vip = await engine.publish({
      name: 'Dear customer',
      priority: 2,
      triggers: [
        {
          kind: 'shopify',
          topics: ['orders/create'],
          where: { variable: 'event.body.total_price', operator: 'at-least', value: 100 },
        },
        { kind: 'contact-changed', change: 'tag-added', names: ['vip'] },
      ],
      start: 'a',
      nodes: says('vip {{ event.body.id }}{{ event.body.tag }}'),
    });
    await engine.publish({
      name: 'Any order',
      triggers: [
        { kind: 'shopify', topics: ['orders/create'] },
        { kind: 'custom-event', names: ['ticket.closed'] },
      ],
      start: 'a',
      nodes: says('order {{ event.body.id }}'),
    });
    await engine.tell(
      happening(
        'con_1',
        1,
        'shopify',
        'orders/create',
        {},
        {
          body: '{"id": 820982911946154508, "total_price": "186.90"}',
        },
      ),
    );
    await settled(engine);
    const [vipFirst] = await jobsIn(engine, 'messages');
    const { messageId, origin } = vipFirst!.payload as unknown as {
      messageId: string;
      origin: { runId: string; stepId: string };
    };
    await engine.runtime.producer.add({
      queue: 'flows',
      name: 'record-message-outcome',
      payload: { merchantId: 'default', ...origin, messageId, outcome: 'accepted', decidedAtMs: Date.now() },
    });
    await settled(engine);
    t.strictSame(
      (await textsOf(engine, 'con_1')).toSorted(),
      ['order 820982911946154508', 'vip 820982911946154508'],
      'ids keep all their digits',
    );
    await engine.tell(happening('con_2', 1, 'shopify', 'orders/create', { id: 2, total_price: '99.00' }));
    await engine.tell(happening('con_3', 1, 'custom', 'ticket.closed', { id: 3 }));
    await engine.tell(happening('con_4', 1, 'contact', 'contact.tag_added', { tag: 'vip' }));
    await engine.tell(happening('con_5', 1, 'contact', 'contact.tag_added', { tag: 'other' }));
    await settled(engine);
    t.strictSame(await textsOf(engine, 'con_2'), ['order 2']);
    t.strictSame(await textsOf(engine, 'con_3'), ['order 3']);
    t.strictSame(await textsOf(engine, 'con_4'), ['vip vip']);
    t.strictSame(await textsOf(engine, 'con_5'), []);
    const own = (await runsOf(engine)).find(({ flowId }) => flowId === vip)!;
    await engine.tell(
      happening('con_4', 2, 'contact', 'contact.tag_added', { tag: 'vip' }, { origin: { runId: own.id } }),
    );
    await settled(engine);
    t.equal((await textsOf(engine, 'con_4')).length, 1);
  },
);

eachDatabase(
  t,
  'first messages, replies, referrals and campaigns have flows of their own, the more specific first',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const triggers = {
      reply: { kind: 'reply', ids: ['more'] },
      campaign: { kind: 'campaign-reply' },
      ad: { kind: 'referral', sourceIds: ['ad_1'] },
      code: { kind: 'pattern', pattern: '^code [0-9]{4}$' },
      first: { kind: 'first-message' },
      any: { kind: 'any-message' },
    };
    for (const [name, trigger] of Object.entries(triggers))
      await engine.publish({ name, triggers: [trigger], start: 'a', nodes: says(name) });
    const content = { type: 'text', text: 'CODE 1234' };
    await engine.tell(
      message('con_1', 1, '', {
        content: { ...content, replyId: 'more' },
        campaignId: 'cmp_1',
        isFirstMessage: true,
      }),
    );
    await engine.tell(message('con_2', 1, '', { content, campaignId: 'cmp_1', isFirstMessage: true }));
    await engine.tell(
      message('con_3', 1, '', {
        content: { ...content, referral: { source_id: 'ad_1' } },
        isFirstMessage: true,
      }),
    );
    await engine.tell(message('con_4', 1, '', { content, isFirstMessage: true }));
    await engine.tell(message('con_5', 1, 'whatever', { isFirstMessage: true }));
    await engine.tell(message('con_6', 1, 'whatever'));
    await settled(engine);
    const expected = ['reply', 'campaign', 'ad', 'code', 'first', 'any'];
    for (const [index, name] of expected.entries())
      t.strictSame(await textsOf(engine, `con_${index + 1}`), [name]);
  },
);

eachDatabase(
  t,
  'of a group one run is under way; a word that interrupts ends the question that is open',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const asks = (name: string, word: string, exclusion: object, more: object = {}) => ({
      name,
      exclusion,
      ...more,
      triggers: [
        { kind: 'custom-event', names: [word] },
        { kind: 'keyword', words: [word] },
      ],
      start: 'a',
      nodes: { a: { kind: 'ask', text: name, saveAs: 'x', next: 'end' }, end },
    });
    await engine.publish(asks('first', 'one', { group: 'sale' }));
    await engine.publish(asks('second', 'two', { group: 'sale' }));
    await engine.publish(asks('third', 'three', { group: 'sale', policy: 'replace' }));
    await engine.publish(asks('menu', 'menu', { group: 'menu' }, { interrupts: true }));
    const events = ['one', 'two', 'three'];
    for (const [index, name] of events.entries())
      await engine.tell(happening('con_1', index + 1, 'custom', name, {}));
    await settled(engine);
    t.strictSame((await runsOf(engine)).map(({ status, reasonCode }) => [status, reasonCode]).toSorted(), [
      ['cancelled', 'REPLACED'],
      ['waiting', null],
    ]);
    await engine.tell(message('con_1', 4, 'Menu'));
    await settled(engine);
    t.equal(
      (await runsOf(engine)).find(({ reasonCode }) => reasonCode === 'INTERRUPTED')?.status,
      'cancelled',
    );
    const waiting = (await runsOf(engine)).filter(({ status }) => status === 'waiting');
    t.equal(waiting.length, 1, 'the menu asks');
  },
);

eachDatabase(t, 'a flow calls another and goes on with its result', async (t, database) => {
  const engine = await startEngine(t, database);
  const name = await engine.publish({
    name: 'Ask for the name',
    inputs: { greeting: { type: 'text', required: true } },
    triggers: [],
    start: 'ask',
    nodes: {
      ask: { kind: 'ask', text: '{{ input.greeting }}! Your name?', saveAs: 'name', next: 'done' },
      done: { kind: 'end', result: { name: '{{ variables.name | capitalize }}' } },
    },
  });
  const caller = {
    name: 'Caller',
    triggers: [{ kind: 'keyword', words: ['call'] }],
    start: 'sub',
    nodes: {
      sub: { kind: 'sub-flow', flowId: name, input: { greeting: 'Hi' }, saveAs: 'who', next: 'say' },
      say: { kind: 'send', text: 'Welcome, {{ variables.who.name }}', next: 'end' },
      end,
    },
  };
  const flowId = await engine.publish(caller);
  await engine.publish({
    name: 'After',
    triggers: [{ kind: 'flow', flowIds: [flowId] }],
    start: 'a',
    nodes: says('after {{ variables.outcome }}'),
  });
  await engine.tell(message('con_1', 1, 'call'));
  await settled(engine);
  // A newer version does not change what is under way.
  await engine.call('PUT', `/api/v1/flows/${name}/draft`, {
    definition: { name: 'Gone', triggers: [], start: 'end', nodes: { end } },
  });
  await engine.call('POST', `/api/v1/flows/${name}/publish`);
  await engine.tell(message('con_1', 2, 'ada'));
  await settled(engine);
  t.strictSame(await textsOf(engine, 'con_1'), ['Hi! Your name?', 'Welcome, Ada', 'after finished']);
  for (const { id } of await runsOf(engine))
    t.match((await engine.call('POST', `/api/v1/runs/${id}/replay`)).data, { identical: true });

  const missing = { ...caller.nodes, sub: { ...caller.nodes.sub, flowId: 'flow_none' } };
  const created = await engine.call('POST', '/api/v1/flows', { definition: { ...caller, nodes: missing } });
  const { id } = (created.data as { flow: { id: string } }).flow;
  const refused = await engine.call('POST', `/api/v1/flows/${id}/publish`);
  t.match(refused.error, { code: 'FLOW_INVALID', details: { problems: [{ node: 'sub' }] } });

  const { data: bundle } = await engine.call('GET', `/api/v1/flows/${flowId}/export`);
  t.match(bundle, { format: 'switchyard.flows', flows: [{ id: flowId }, { id: name }] });
  const flows = (bundle as { flows: { id: string }[] }).flows.map((flow) => ({
    ...flow,
    id: `x_${flow.id}`,
  }));
  const renamed = JSON.parse(JSON.stringify(flows).replaceAll(`"flowId":"${name}"`, `"flowId":"x_${name}"`));
  const imported = await engine.call('POST', '/api/v1/flows/import', {
    ...(bundle as object),
    flows: renamed,
  });
  t.equal(imported.status, 201);
  const [first, second] = imported.data as { id: string }[];
  const { data: taken } = await engine.call('GET', `/api/v1/flows/${first!.id}`);
  t.match(taken, { definition: { nodes: { sub: { flowId: second!.id } } } }, 'calls follow the new ids');
});
