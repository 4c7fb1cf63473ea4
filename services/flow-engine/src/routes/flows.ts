import { ScriptedAnswer, ScriptLine, simulateFlow } from '@switchyard/flows';
import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { FlowCache } from '../definitions/create-flow-cache.ts';
import type { FlowDetails, FlowStore } from '../definitions/create-flow-store.ts';

/** Something in a definition that a person should look at. */
export const Problem = Type.Object({
  node: Type.Optional(Type.String()),
  path: Type.String(),
  message: Type.String(),
});

const Params = Type.Object({ id: Type.String({ maxLength: 191 }) });
const Nullable = Type.Union([Type.Integer(), Type.Null()]);
/** Checked by the engine's own check, which names the node at fault. */
const Body = Type.Object(
  { definition: Type.Unknown({ description: 'See GET /api/v1/flows/schema.' }) },
  { additionalProperties: false },
);

const Flow = Type.Object({
  id: Type.String(),
  merchantId: Type.String(),
  name: Type.String(),
  state: Type.Union([Type.Literal('active'), Type.Literal('archived')]),
  publishedVersion: Nullable,
  draftVersion: Nullable,
  latestVersion: Type.Integer(),
  createdAtMs: Type.Integer(),
  updatedAtMs: Type.Integer(),
});
const FlowAnswer = Type.Object({
  flow: Flow,
  versions: Type.Array(
    Type.Object({
      version: Type.Integer(),
      status: Type.Union([Type.Literal('draft'), Type.Literal('published'), Type.Literal('archived')]),
      createdAtMs: Type.Integer(),
      updatedAtMs: Type.Integer(),
    }),
  ),
  definitionVersion: Type.Integer({ description: 'The version whose definition this is.' }),
  definition: Type.Unknown(),
});
const PublishAnswer = Type.Interface([FlowAnswer], { warnings: Type.Array(Problem) });

const SimulationAnswer = Type.Object({
  version: Type.Integer(),
  status: Type.String(),
  transcript: Type.Array(
    Type.Object({
      atSeconds: Type.Number(),
      from: Type.String(),
      text: Type.String(),
      buttons: Type.Optional(Type.Array(Type.String())),
    }),
  ),
  steps: Type.Array(Type.Unknown()),
  variables: Type.Unknown(),
  failure: Type.Optional(Type.Unknown()),
  result: Type.Optional(Type.Unknown()),
  contactEffects: Type.Array(Type.Unknown()),
  otherEffects: Type.Array(Type.Unknown()),
});

function toAnswer({ versions, definition, definitionVersion, ...flow }: FlowDetails) {
  return { flow, versions, definition, definitionVersion };
}

/** Routes for the merchant's flows. */
export function registerFlows(
  app: ServiceApp,
  { flows, published }: { flows: FlowStore; published: FlowCache['published'] },
): void {
  /** What a flow may go into: what is published now. */
  const subFlows = async (merchantId: string) =>
    Object.fromEntries((await published(merchantId)).map(({ flowId, definition }) => [flowId, definition]));
  const read = requireScope('flows:read');
  const write = requireScope('flows:write');
  const tags = ['flows'];

  app.get(
    '/api/v1/flows',
    {
      preHandler: read,
      schema: { tags, summary: 'Lists the flows, oldest first.', response: { 200: ok(Type.Array(Flow)) } },
    },
    async (request) => succeed(await flows.list(request.principal.merchantId)),
  );

  app.get(
    '/api/v1/flows/:id',
    {
      preHandler: read,
      schema: {
        tags,
        summary: 'Shows a flow and the definition of one version: the published one, else the newest.',
        params: Params,
        querystring: Type.Object({ version: Type.Optional(Type.Integer({ minimum: 1 })) }),
        response: { 200: ok(FlowAnswer) },
      },
    },
    async (request) =>
      succeed(
        toAnswer(await flows.get(request.principal.merchantId, request.params.id, request.query.version)),
      ),
  );

  app.post(
    '/api/v1/flows',
    {
      preHandler: write,
      schema: { tags, summary: 'Creates a flow as a draft.', body: Body, response: { 201: ok(FlowAnswer) } },
    },
    async (request, reply) => {
      reply.status(201);
      return succeed(toAnswer(await flows.create(request.principal.merchantId, request.body.definition)));
    },
  );

  app.put(
    '/api/v1/flows/:id/draft',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Changes the draft, or begins one; the published version goes on meanwhile.',
        params: Params,
        body: Body,
        response: { 200: ok(FlowAnswer) },
      },
    },
    async (request) =>
      succeed(
        toAnswer(
          await flows.saveDraft(request.principal.merchantId, request.params.id, request.body.definition),
        ),
      ),
  );

  app.post(
    '/api/v1/flows/:id/publish',
    {
      preHandler: write,
      schema: {
        tags,
        summary:
          'Makes the draft the version that new runs start on, within two seconds on every replica. `warnings` name message templates that can’t be sent at present.',
        params: Params,
        response: { 200: ok(PublishAnswer) },
      },
    },
    async (request) => {
      const { warnings, ...flow } = await flows.publish(request.principal.merchantId, request.params.id);
      return succeed({ ...toAnswer(flow), warnings });
    },
  );

  app.post(
    '/api/v1/flows/:id/archive',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Starts no more runs of the flow; those under way go on.',
        params: Params,
        response: { 200: ok(FlowAnswer) },
      },
    },
    async (request) =>
      succeed(toAnswer(await flows.archive(request.principal.merchantId, request.params.id))),
  );

  app.post(
    '/api/v1/flows/:id/simulate',
    {
      preHandler: read,
      schema: {
        tags,
        summary: 'Has a scripted conversation with the flow on the same engine; nothing is sent or stored.',
        params: Params,
        body: Type.Object(
          {
            script: Type.Array(ScriptLine, { minItems: 1, maxItems: 200 }),
            answers: Type.Optional(
              Type.Array(ScriptedAnswer, {
                maxItems: 200,
                description: "What the outside answers the flow's calls; the first that fits is taken.",
              }),
            ),
            seed: Type.Optional(
              Type.String({ minLength: 1, maxLength: 64, description: 'What chance is drawn from.' }),
            ),
            contact: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
            version: Type.Optional(
              Type.Integer({ minimum: 1, description: 'The published one, else the newest, by default.' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: ok(SimulationAnswer) },
      },
    },
    async (request) => {
      const { script, contact = {}, version, answers, seed } = request.body;
      const flow = await flows.get(request.principal.merchantId, request.params.id, version);
      return succeed({
        version: flow.definitionVersion,
        ...simulateFlow(flow.definition, script, contact, Date.now(), {
          flows: await subFlows(request.principal.merchantId),
          ...(answers === undefined ? {} : { answers }),
          ...(seed === undefined ? {} : { seed }),
        }),
      });
    },
  );
}
