import { welcomeFlow } from '@switchyard/flows';
import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { installWelcomeFlow } from '../src/definitions/install-welcome-flow.ts';
import { message, phoneOf, sentTexts, settled, startEngine } from './helper.ts';

interface Flow {
  flow: { id: string; publishedVersion: number | null; draftVersion: number | null; state: string };
  versions: { version: number; status: string }[];
  definitionVersion: number;
}

const hello = (text: string) => ({
  name: 'Hello',
  priority: 1,
  triggers: [{ kind: 'keyword', words: ['hello'] }],
  start: 'a',
  nodes: {
    a: { kind: 'ask', text, saveAs: 'x', next: 'b' },
    b: { kind: 'send', text: `bye from ${text}`, next: 'c' },
    c: { kind: 'end' },
  },
});

eachDatabase(
  t,
  'a flow is drafted, published, changed and archived; a run stays on its version',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const created = await engine.call('POST', '/api/v1/flows', { definition: hello('one') });
    t.equal(created.status, 201);
    const { id } = (created.data as Flow).flow;
    t.match(created.data, { flow: { publishedVersion: null, draftVersion: 1 }, definitionVersion: 1 });
    const published = await engine.call('POST', `/api/v1/flows/${id}/publish`);
    t.match(published.data, { flow: { publishedVersion: 1, draftVersion: null } });
    t.equal((await engine.call('POST', `/api/v1/flows/${id}/publish`)).error.code, 'FLOW_DRAFT_MISSING');

    await engine.tell(message('con_1', 1, 'hello'));
    await settled(engine);
    t.strictSame((await sentTexts(engine)).get(phoneOf('con_1')), ['one'], 'the higher priority starts');
    const draft = await engine.call('PUT', `/api/v1/flows/${id}/draft`, { definition: hello('two') });
    t.match(draft.data, { flow: { publishedVersion: 1, draftVersion: 2 }, definitionVersion: 2 });
    await engine.call('POST', `/api/v1/flows/${id}/publish`);
    let contact = 1;
    await until(
      async () => {
        contact += 1;
        await engine.tell(message(`con_${contact}`, 1, 'hello'));
        await settled(engine);
        return (await sentTexts(engine)).get(phoneOf(`con_${contact}`))?.[0] === 'two';
      },
      { what: 'the new version', timeoutMs: 5000, intervalMs: 200 },
    );
    await engine.tell(message('con_1', 2, 'yes'));
    await settled(engine);
    t.strictSame((await sentTexts(engine)).get(phoneOf('con_1')), ['one', 'bye from one']);

    const archived = await engine.call('POST', `/api/v1/flows/${id}/archive`);
    t.match(archived.data, {
      flow: { state: 'archived', publishedVersion: null },
      versions: [
        { version: 2, status: 'archived' },
        { version: 1, status: 'archived' },
      ],
    });
    t.equal((await engine.call('GET', `/api/v1/flows/${id}?version=9`)).error.code, 'FLOW_VERSION_UNKNOWN');
    t.equal((await engine.call('GET', '/api/v1/flows/flow_none')).error.code, 'FLOW_UNKNOWN');
  },
);

eachDatabase(
  t,
  'a definition with a mistake is refused, and the answer names the node',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const definition = hello('x');
    const answer = await engine.call('POST', '/api/v1/flows', {
      definition: {
        ...definition,
        nodes: { ...definition.nodes, b: { kind: 'send', text: 'x', next: 'nowhere' } },
      },
    });
    t.equal(answer.status, 400);
    t.equal(answer.error.code, 'FLOW_INVALID');
    t.match(answer.error.message, /node "b" leads to "nowhere"/);
    t.equal(answer.error.details?.problems[0]?.node, 'b');
    t.equal((await engine.call('POST', '/api/v1/flows', { definition: 'what' })).status, 400);
  },
);

eachDatabase(
  t,
  'the welcome flow is installed once, and what a person made of it stays',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const changed = { ...welcomeFlow, name: 'Mine' };
    await engine.call('PUT', '/api/v1/flows/flow_welcome/draft', { definition: changed });
    await engine.call('POST', '/api/v1/flows/flow_welcome/publish');
    t.equal(await installWelcomeFlow(engine.runtime.database), false);
    t.match((await engine.call('GET', '/api/v1/flows/flow_welcome')).data, {
      flow: { name: 'Mine', publishedVersion: 2 },
    });
    await engine.call('POST', '/api/v1/flows/flow_welcome/archive');
    t.equal(await installWelcomeFlow(engine.runtime.database), false);
    t.match((await engine.call('GET', '/api/v1/flows/flow_welcome')).data, { flow: { state: 'archived' } });
  },
);

eachDatabase(t, 'a simulation tells how a conversation would go, and does nothing', async (t, database) => {
  const engine = await startEngine(t, database);
  const { data } = await engine.call('POST', '/api/v1/flows/flow_welcome/simulate', {
    contact: { name: 'Grace' },
    script: [
      { say: 'what?' },
      { say: 'Hello' },
      { tap: 'products' },
      { say: 'hello' },
      { waitSeconds: 90_000 },
      { say: 'order' },
    ],
  });
  t.match(data, {
    version: 1,
    status: 'finished',
    transcript: [
      { from: 'person', text: 'what?' },
      { from: 'engine', text: /no trigger matches/ },
      { from: 'person', text: 'Hello' },
      {
        from: 'flow',
        text: 'Hello Grace! 👋 What can we help you with?',
        buttons: ['My order', 'Products', 'Talk to a person'],
      },
      { from: 'person', text: 'Products' },
      { from: 'flow', text: /selection/ },
      { from: 'person', text: 'hello' },
      { from: 'flow', text: /What can we help/ },
      { from: 'person', text: 'order', atSeconds: 90_000 },
      { from: 'engine', text: /nothing waits/ },
    ],
  });
  t.strictSame((await engine.call('GET', '/api/v1/runs')).data, []);
  t.equal((await sentTexts(engine)).size, 0);
});

eachDatabase(
  t,
  'a run that waits can be cancelled, once, and takes no answer after it',
  async (t, database) => {
    const engine = await startEngine(t, database);
    await engine.tell(message('con_1', 1, 'hello'));
    await settled(engine);
    const [run] = (await engine.call('GET', '/api/v1/runs?contactId=con_1&status=waiting')).data as {
      id: string;
    }[];
    t.match((await engine.call('POST', `/api/v1/runs/${run!.id}/cancel`)).data, { status: 'cancelled' });
    t.equal((await engine.call('POST', `/api/v1/runs/${run!.id}/cancel`)).error.code, 'RUN_ENDED');
    t.equal((await engine.call('POST', '/api/v1/runs/run_none/cancel')).error.code, 'RUN_UNKNOWN');
    await engine.tell(message('con_1', 2, 'my order'));
    await settled(engine);
    t.equal((await sentTexts(engine)).get(phoneOf('con_1'))?.length, 1);
    t.match((await engine.call('POST', `/api/v1/runs/${run!.id}/replay`)).data, {
      identical: true,
      inputs: 1,
    });
    const metrics = await engine.runtime.app.inject('/metrics');
    t.match(metrics.body, /switchyard_flow_runs_total\{outcome="cancelled"[^}]*\} 1/);
    t.match(metrics.body, /switchyard_flow_runs_waiting\{[^}]*\} 0/);
    const anonymous = await engine.runtime.app.inject('/api/v1/runs');
    t.equal(anonymous.statusCode, 401);
  },
);
