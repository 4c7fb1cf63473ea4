import type { Kysely } from '@switchyard/database';
import type { FlowDefinition, FlowOf } from '@switchyard/flows';
import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { FlowTables, RunsTable } from '../database/tables.ts';
import type { FlowCache } from '../definitions/create-flow-cache.ts';
import { flowVersionUnknown } from '../errors.ts';
import type { RecordedInput, RunStore } from '../runs/create-run-store.ts';
import { replayRun } from '../runs/replay-run.ts';

const Params = Type.Object({ id: Type.String({ maxLength: 191 }) });
const NullableText = Type.Union([Type.String(), Type.Null()]);
const Status = Type.Union([
  Type.Literal('waiting'),
  Type.Literal('finished'),
  Type.Literal('failed'),
  Type.Literal('cancelled'),
]);

const Run = Type.Object({
  id: Type.String(),
  merchantId: Type.String(),
  contactId: Type.String(),
  flowId: Type.String(),
  flowVersion: Type.Integer(),
  status: Status,
  reasonCode: NullableText,
  reason: NullableText,
  state: Type.Unknown(),
  senderId: NullableText,
  waitId: NullableText,
  waitKind: NullableText,
  dueAtMs: Type.Union([Type.Integer(), Type.Null()]),
  inputs: Type.Integer(),
  createdAtMs: Type.Integer(),
  updatedAtMs: Type.Integer(),
});
const RunWithJournal = Type.Object({
  run: Run,
  journal: Type.Array(
    Type.Object({
      number: Type.Integer(),
      input: Type.Unknown(),
      contact: Type.Unknown(),
      steps: Type.Array(Type.Unknown()),
      effects: Type.Array(Type.Unknown()),
      atMs: Type.Integer(),
    }),
  ),
  messages: Type.Array(
    Type.Object({
      messageId: Type.String(),
      stepId: Type.String(),
      outcome: Type.String(),
      reason: NullableText,
      decidedAtMs: Type.Integer(),
    }),
  ),
});

function toAnswer({ contact: _, state, ...run }: RunsTable) {
  return { ...run, state: JSON.parse(state) as unknown };
}

/** The versions of other flows that a run may have gone into, as its journal names them. */
async function subFlowsOf(
  flows: FlowCache,
  db: Kysely<FlowTables>,
  journal: readonly RecordedInput[],
): Promise<FlowOf> {
  const found = new Map<string, FlowDefinition>();
  for (const { input } of journal)
    for (const [id, version] of Object.entries(input.flows ?? {})) {
      const definition = await flows.version(db, id, version);
      if (definition) found.set(`${id} ${version}`, definition);
    }
  return (id, version) => found.get(`${id} ${version}`);
}

/** Routes for the runs of the merchant's flows. */
export function registerRuns(
  app: ServiceApp,
  deps: { runs: RunStore; flows: FlowCache; db: Kysely<FlowTables>; onCancelled: (run: RunsTable) => void },
): void {
  const { runs, flows, db, onCancelled } = deps;
  const read = requireScope('flows:read');
  const write = requireScope('flows:write');
  const tags = ['runs'];

  app.get(
    '/api/v1/runs',
    {
      preHandler: read,
      schema: {
        tags,
        summary: 'Lists runs, newest first.',
        querystring: Type.Object({
          flowId: Type.Optional(Type.String({ maxLength: 191 })),
          contactId: Type.Optional(Type.String({ maxLength: 191 })),
          status: Type.Optional(Status),
          before: Type.Optional(
            Type.String({ maxLength: 191, description: 'The last id of the page before.' }),
          ),
          limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
        }),
        response: { 200: ok(Type.Array(Run)) },
      },
    },
    async (request) => succeed((await runs.list(request.principal.merchantId, request.query)).map(toAnswer)),
  );

  app.get(
    '/api/v1/runs/:id',
    {
      preHandler: read,
      schema: {
        tags,
        summary: 'Shows a run with its journal: every input, what it did, and what was asked for.',
        params: Params,
        response: { 200: ok(RunWithJournal) },
      },
    },
    async (request) => {
      const { run, ...rest } = await runs.get(request.principal.merchantId, request.params.id);
      return succeed({ run: toAnswer(run), ...rest });
    },
  );

  app.post(
    '/api/v1/runs/:id/cancel',
    {
      preHandler: write,
      schema: { tags, summary: 'Ends a run that waits.', params: Params, response: { 200: ok(Run) } },
    },
    async (request) => {
      const { merchantId, subject } = request.principal;
      const run = await runs.cancel(merchantId, request.params.id, subject);
      onCancelled(run);
      return succeed(toAnswer(run));
    },
  );

  app.post(
    '/api/v1/runs/:id/replay',
    {
      preHandler: read,
      schema: {
        tags,
        summary: 'Runs a recorded run again from its journal, without effects, and compares.',
        params: Params,
        response: {
          200: ok(
            Type.Object({
              identical: Type.Boolean(),
              inputs: Type.Integer(),
              difference: Type.Optional(
                Type.Object({
                  number: Type.Integer(),
                  part: Type.String(),
                  recorded: Type.Unknown(),
                  replayed: Type.Unknown(),
                }),
              ),
            }),
          ),
        },
      },
    },
    async (request) => {
      const { run, journal } = await runs.get(request.principal.merchantId, request.params.id);
      const definition = await flows.version(db, run.flowId, run.flowVersion);
      if (!definition) throw flowVersionUnknown('the version that the run was on is gone');
      const state = JSON.parse(run.state);
      // A run that was ended from outside keeps the state that its last input left.
      const recorded = { runId: run.id, journal, endState: state };
      return succeed(replayRun(definition, recorded, await subFlowsOf(flows, db, journal)));
    },
  );
}
