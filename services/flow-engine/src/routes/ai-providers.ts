import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { ProviderStore } from '../ai/provider-store.ts';
import type { UsageStore } from '../ai/usage-store.ts';

const closed = { additionalProperties: false };
const Nullable = Type.Union([Type.String(), Type.Null()]);
const TokenLimitParameter = Type.Union([Type.Literal('max_tokens'), Type.Literal('max_completion_tokens')]);
const State = Type.Union([Type.Literal('enabled'), Type.Literal('disabled')]);
const Model = Type.String({ minLength: 1, maxLength: 128 });
const price = (description: string) =>
  Type.Optional(Type.Number({ minimum: 0, maximum: 1_000_000, description }));
const Name = Type.String({ minLength: 1, maxLength: 128 });
const BaseUrl = Type.String({
  minLength: 1,
  maxLength: 2048,
  description: 'Up to the version, such as `https://api.openai.com/v1`.',
});
const optional = {
  apiKey: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 4096 }), Type.Null()])),
  transcriptionModel: Type.Optional(Type.Union([Model, Type.Null()])),
  tokenLimitParameter: Type.Optional(TokenLimitParameter),
  position: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 1000, description: 'The lowest is asked first.' }),
  ),
  state: Type.Optional(State),
  inputPrice: price('For a million tokens that go in.'),
  outputPrice: price('For a million tokens that come out.'),
  minutePrice: price('For a minute of speech.'),
};
const ProviderView = Type.Object({
  id: Type.String(),
  merchantId: Type.String(),
  name: Type.String(),
  position: Type.Integer(),
  baseUrl: Type.String(),
  hasApiKey: Type.Boolean(),
  model: Type.String(),
  transcriptionModel: Nullable,
  tokenLimitParameter: TokenLimitParameter,
  inputPrice: Type.Number(),
  outputPrice: Type.Number(),
  minutePrice: Type.Number(),
  state: State,
  setByEnvironment: Type.Boolean(),
  createdAtMs: Type.Integer(),
  updatedAtMs: Type.Integer(),
});
const Params = Type.Object({ id: Type.String({ maxLength: 191 }) });
const Day = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'YYYY-MM-DD, UTC.' });
const count = Type.Integer();
const UsageView = Type.Object({
  ...{ day: Type.String(), providerId: Type.String(), model: Type.String(), purpose: Type.String() },
  ...{ calls: count, failures: count, inputTokens: count, outputTokens: count, audioSeconds: count },
  costMicros: Type.Integer({ description: "Millionths of the currency's unit." }),
});
const THIRTY_DAYS_MS = 30 * 86_400_000;

/** Routes for the merchant's AI providers and what they cost. */
export function registerAiProviders(
  app: ServiceApp,
  { providers, usage }: { providers: ProviderStore; usage: UsageStore },
): void {
  const tags = ['ai'];
  const read = requireScope('ai:read');
  const write = requireScope('ai:write');

  app.get(
    '/api/v1/ai-providers',
    {
      preHandler: read,
      schema: {
        tags,
        summary: 'Lists the AI providers, in the order they are asked.',
        response: { 200: ok(Type.Array(ProviderView)) },
      },
    },
    async ({ principal }) => succeed(await providers.list(principal.merchantId)),
  );

  app.post(
    '/api/v1/ai-providers',
    {
      preHandler: write,
      schema: {
        tags,
        summary:
          "Adds a provider that speaks OpenAI's protocol; its key is stored encrypted and never shown.",
        body: Type.Object({ name: Name, baseUrl: BaseUrl, model: Model, ...optional }, closed),
        response: { 201: ok(ProviderView) },
      },
    },
    async ({ principal, body }, reply) => {
      reply.status(201);
      return succeed(await providers.create(principal.merchantId, body));
    },
  );

  app.get(
    '/api/v1/ai-providers/:id',
    {
      preHandler: read,
      schema: { tags, summary: 'Shows a provider.', params: Params, response: { 200: ok(ProviderView) } },
    },
    async ({ principal, params }) => succeed(await providers.get(principal.merchantId, params.id)),
  );

  app.patch(
    '/api/v1/ai-providers/:id',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Changes a provider, its place in the order, or turns it on or off.',
        params: Params,
        body: Type.Object(
          {
            name: Type.Optional(Name),
            baseUrl: Type.Optional(BaseUrl),
            model: Type.Optional(Model),
            ...optional,
          },
          { ...closed, minProperties: 1 },
        ),
        response: { 200: ok(ProviderView) },
      },
    },
    async ({ principal, params, body }) =>
      succeed(await providers.change(principal.merchantId, params.id, body)),
  );

  app.delete(
    '/api/v1/ai-providers/:id',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Removes a provider and its key.',
        params: Params,
        response: { 200: ok(Type.Null()) },
      },
    },
    async ({ principal, params }) => {
      await providers.remove(principal.merchantId, params.id);
      return succeed(null);
    },
  );

  app.get(
    '/api/v1/ai-usage',
    {
      preHandler: read,
      schema: {
        tags,
        summary:
          'Tokens, speech and cost by day, provider, model and purpose; of the last 30 days unless asked otherwise.',
        querystring: Type.Object({ from: Type.Optional(Day), to: Type.Optional(Day) }),
        response: { 200: ok(Type.Array(UsageView)) },
      },
    },
    async ({ principal, query }) => {
      const dayOf = (atMs: number) => new Date(atMs).toISOString().slice(0, 10);
      const { from = dayOf(Date.now() - THIRTY_DAYS_MS), to = dayOf(Date.now()) } = query;
      const rows = await usage.list(principal.merchantId, { from, to });
      return succeed(rows.map(({ merchantId, ...row }) => row));
    },
  );
}
