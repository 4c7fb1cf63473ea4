import { isDeepStrictEqual } from 'node:util';
import type { FlowDefinition, FlowNode } from '@switchyard/flows';
import type { Outbox } from '@switchyard/outbox';
import fc from 'fast-check';
import { type ApplyInput, createApplyInput } from '../../src/conversations/apply-input.ts';
import { createInbox, toInboxRow } from '../../src/conversations/create-inbox.ts';
import { createTakeInput } from '../../src/conversations/take-input.ts';
import type { FlowTables } from '../../src/database/tables.ts';
import { createFlowCache } from '../../src/definitions/create-flow-cache.ts';
import { type Engine, message, phoneOf, sentTexts } from '../helper.ts';

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

/** What came of random flows under random deaths. */
export interface RandomFlowsReport {
  deaths: number;
  /** Inputs that came a second time. */
  repeats: number;
  /** Flows whose journal or messages are not those of a run without deaths: what differs. */
  different: { flow: number; undisturbed: unknown; disturbed: unknown }[];
  replayed: number;
  /** Runs that replay otherwise than recorded. */
  replayedOtherwise: string[];
}

/**
 * Draws flows, and has the same conversation with each twice: once undisturbed, once with a process that dies before and after its
 * commits and with jobs that come again. Then replays every run.
 */
export async function runRandomFlows(
  engine: Engine,
  options: { flows: number; seed: number; onProgress?: (flows: number) => void },
): Promise<RandomFlowsReport> {
  const definitions = fc.sample(arbitraryFlow, { numRuns: options.flows, seed: options.seed });
  for (const [index, definition] of definitions.entries())
    await engine.publish({
      name: `Drawn ${index}`,
      triggers: [{ kind: 'keyword', words: [`go ${index}`] }],
      ...definition,
    });
  let state = options.seed;
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
  const report: RandomFlowsReport = {
    deaths: 0,
    repeats: 0,
    different: [],
    replayed: 0,
    replayedOtherwise: [],
  };

  for (const index of definitions.keys()) {
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
          if (outcome === 'repeated') report.repeats += 1;
          isDone = again === sequence;
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
          report.deaths += 1;
        }
      }
    }
    options.onProgress?.(index + 1);
  }
  const sent = await sentTexts(engine);
  const outcomeOf = async (contactId: string) => ({
    journal: await journalOf(engine, contactId),
    sent: sent.get(phoneOf(contactId)),
  });
  for (const flow of definitions.keys()) {
    const undisturbed = await outcomeOf(`con_1${flow}`);
    const disturbed = await outcomeOf(`con_2${flow}`);
    if (!isDeepStrictEqual(undisturbed, disturbed)) report.different.push({ flow, undisturbed, disturbed });
  }
  const runs = await engine.runtime.database.db.selectFrom('runs').select('id').execute();
  for (const { id } of runs) {
    const { data } = await engine.call('POST', `/api/v1/runs/${id}/replay`);
    report.replayed += 1;
    if (!(data as { identical: boolean }).identical) report.replayedOtherwise.push(id);
  }
  return report;
}
