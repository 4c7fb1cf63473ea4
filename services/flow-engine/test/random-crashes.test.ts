import type { FlowDefinition, FlowNode } from '@switchyard/flows';
import type { Outbox } from '@switchyard/outbox';
import { eachDatabase } from '@switchyard/test-kit';
import fc from 'fast-check';
import t from 'tap';
import { type ApplyInput, createApplyInput } from '../src/conversations/apply-input.ts';
import { createInbox, toInboxRow } from '../src/conversations/create-inbox.ts';
import { createTakeInput } from '../src/conversations/take-input.ts';
import type { FlowTables } from '../src/database/tables.ts';
import { createFlowCache } from '../src/definitions/create-flow-cache.ts';
import { type Engine, message, phoneOf, sentTexts, startEngine } from './helper.ts';

const FLOWS = 25;

/** Flows that lead only forward where nothing waits. What they do depends on nothing but what is said. */
const arbitraryFlow: fc.Arbitrary<Pick<FlowDefinition, 'start' | 'nodes'>> = fc
  .array(
    fc.record({
      kind: fc.constantFrom('send', 'ask', 'branch', 'set', 'tag', 'attribute', 'notify', 'fail'),
      on: fc.nat(20),
      back: fc.nat(20),
      text: fc.constantFrom(
        'Hello',
        'You said {{ variables.a }}',
        '{{ variables.all }} and {{ event.text }}',
      ),
    }),
    { minLength: 1, maxLength: 9 },
  )
  .map((drafts) => {
    const last = drafts.length;
    const nodes: Record<string, FlowNode> = { [`n${last}`]: { kind: 'end' } };
    for (const [index, { kind, on, back, text }] of drafts.entries()) {
      const next = `n${index + 1 + (on % (last - index))}`;
      const other = `n${index + 1}`;
      const anywhere = `n${back % (last + 1)}`;
      const drawn: Record<typeof kind, FlowNode> = {
        send: { kind: 'send', text, next },
        ask: { kind: 'ask', text, saveAs: 'a', expect: 'text', next: anywhere },
        branch: {
          kind: 'branch',
          cases: [{ when: { variable: 'a', operator: 'contains', value: 's' }, next }],
          otherwise: other,
        },
        set: { kind: 'set-variable', name: 'all', value: '{{ variables.all }}.{{ variables.a }}', next },
        tag: { kind: 'tag', add: ['seen'], next },
        attribute: { kind: 'set-attribute', name: 'last', value: text, next },
        notify: { kind: 'notify-team', title: 'Look', body: text, next },
        fail: {
          kind: 'set-variable',
          name: 'n',
          value: '{{ variables.a }}',
          type: 'number',
          onError: other,
          next,
        },
      };
      nodes[`n${index}`] = drawn[kind];
    }
    const reached = new Set(['n0']);
    for (const name of reached)
      for (const match of JSON.stringify(nodes[name]).matchAll(/"(?:next|otherwise|onError)":"(n\d+)"/g))
        reached.add(match[1]!);
    const kept = Object.entries(nodes).filter(([name]) => reached.has(name));
    return { start: 'n0', nodes: Object.fromEntries(kept) };
  });

class Crash extends Error {}

/** An outbox whose process dies, where chance wants it: before a transaction is committed, or right after it. */
function crashing(outbox: Outbox<FlowTables>, isDue: () => boolean): Outbox<FlowTables> {
  return {
    ...outbox,
    async transaction(work) {
      const value = await outbox.transaction(async (trx, enqueue) => {
        const done = await work(trx, enqueue);
        if (isDue()) throw new Crash('died before the commit');
        return done;
      });
      if (isDue()) throw new Crash('died after the commit');
      return value;
    },
  };
}

function applierOf({ runtime }: Engine, outbox: Outbox<FlowTables>): ApplyInput {
  const { database, leases, processedJobs } = runtime;
  const flows = createFlowCache(database.db);
  return createApplyInput({
    outbox,
    dialect: database.dialect,
    leases,
    flows,
    inbox: createInbox({ database, processedJobs }),
    takeInput: createTakeInput({ flows }),
    gapWaitMs: 30_000,
    sendOrderWaitMs: 30_000,
  });
}

/** What a contact's runs have done, without what differs from run to run by its nature. */
async function journalOf({ runtime }: Engine, contactId: string): Promise<unknown[]> {
  const rows = await runtime.database.db
    .selectFrom('runJournal')
    .innerJoin('runs', 'runs.id', 'runJournal.runId')
    .select([
      'runs.id',
      'runs.status',
      'runJournal.number',
      'runJournal.input',
      'runJournal.steps',
      'runJournal.effects',
    ])
    .where('runs.contactId', '=', contactId)
    .orderBy('runs.createdAtMs')
    .orderBy('runs.id')
    .orderBy('runJournal.number')
    .execute();
  return rows.map(({ id, status, number, input, steps, effects }) => {
    const { kind, event } = JSON.parse(input) as { kind: string; event: unknown };
    const asked = JSON.parse(effects.replaceAll(id, 'run')) as { atMs?: number }[];
    return {
      status,
      number,
      kind,
      event,
      steps: JSON.parse(steps),
      effects: asked.map(({ atMs: _, ...each }) => each),
    };
  });
}

await eachDatabase(
  t,
  'random flows, with a process that dies at random before and after its commits, leave the journal of runs without a death',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const definitions = fc.sample(arbitraryFlow, { numRuns: FLOWS, seed: 20_261_128 });
    for (const [index, definition] of definitions.entries())
      await engine.publish({
        name: `Drawn ${index}`,
        triggers: [{ kind: 'keyword', words: [`go ${index}`] }],
        ...definition,
      });
    let state = 11;
    const random = () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648;
    };
    const { outbox } = engine.runtime;
    const steady = applierOf(engine, outbox);
    const mortal = applierOf(
      engine,
      crashing(outbox, () => random() < 0.25),
    );
    let deaths = 0;
    let repeats = 0;

    for (const [index] of definitions.entries()) {
      const said = [`go ${index}`, 'socks', '7', '', `go ${index}`, 'yes please', 'stop it'];
      const deliver = async (apply: ApplyInput, contactId: string, sequence: number) => {
        const payload = message(contactId, sequence, said[sequence - 1]!);
        const row = toInboxRow(
          'event',
          { merchantId: 'default', contactId },
          { key: payload.eventId, sequence, payload },
        );
        const results = await apply.together([{ row, inContext: (work) => work() }]);
        return results.get(row.id)?.outcome;
      };
      for (let sequence = 1; sequence <= said.length; sequence += 1) {
        await deliver(steady, `con_1${index}`, sequence);
        // A job whose worker died comes again until it is done; now and then an older one comes again, too.
        for (let isDone = false; !isDone; ) {
          try {
            const again = random() < 0.2 && sequence > 1 ? sequence - 1 : sequence;
            const outcome = await deliver(mortal, `con_2${index}`, again);
            if (outcome === 'repeated') repeats += 1;
            isDone = again === sequence;
          } catch (error) {
            if (!(error instanceof Crash)) throw error;
            deaths += 1;
          }
        }
      }
    }
    t.ok(deaths > FLOWS, `the process died ${deaths} times`);
    t.ok(repeats > FLOWS / 2, `${repeats} inputs came again`);
    const sent = await sentTexts(engine);
    for (const [index] of definitions.entries()) {
      const undisturbed = await journalOf(engine, `con_1${index}`);
      t.strictSame(await journalOf(engine, `con_2${index}`), undisturbed, `the journal of flow ${index}`);
      t.strictSame(
        sent.get(phoneOf(`con_2${index}`)),
        sent.get(phoneOf(`con_1${index}`)),
        `what flow ${index} asked to be sent`,
      );
    }
    const runs = (await engine.call('GET', '/api/v1/runs?limit=500')).data as { id: string }[];
    t.ok(runs.length >= 2 * FLOWS);
    for (const { id } of runs.slice(0, 60))
      t.match((await engine.call('POST', `/api/v1/runs/${id}/replay`)).data, { identical: true }, id);
  },
);
