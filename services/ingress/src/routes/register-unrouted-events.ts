import { adminScope, jobMetaOf, ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { UnroutedEventRow } from '../database/tables.ts';
import { stillUnrouted, unroutedEventUnknown } from '../errors.ts';
import { isRefusal } from '../intake/add-events.ts';
import type { Replay } from '../intake/create-replay.ts';
import { cursorOf, type UnroutedEvents } from '../intake/create-unrouted-events.ts';
import { Epoch, IdParams } from './schemas.ts';

const orNull = Type.Union([Type.String(), Type.Null()]);
const summary = {
  id: Type.String(),
  kind: Type.String(),
  reason: Type.String(),
  appId: Type.String(),
  merchantId: orNull,
  sourceKey: orNull,
  field: orNull,
  bodyEncoding: Type.Union([Type.Literal('utf8'), Type.Literal('base64')]),
  bodyBytes: Type.Integer(),
  receivedAtMs: Epoch,
  replayedAtMs: Type.Union([Epoch, Type.Null()]),
};
const Summary = Type.Object(summary);
const Whole = Type.Object({
  ...summary,
  headers: Type.Record(Type.String(), Type.String()),
  body: Type.String(),
});
/** `next` of the page before. */
const Cursor = Type.Optional(Type.String({ pattern: '^\\d{1,15}\\.[A-Za-z0-9_-]+$', maxLength: 100 }));
const Filter = Type.Object({
  reason: Type.Optional(Type.String({ maxLength: 64 })),
  replayed: Type.Optional(Type.Boolean()),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  before: Cursor,
});
const Which = Type.Object(
  {
    kind: Type.Optional(Type.String({ maxLength: 16 })),
    reason: Type.Optional(Type.String({ maxLength: 64 })),
    sourceKey: Type.Optional(Type.String({ maxLength: 191 })),
    merchantId: Type.Optional(Type.String({ maxLength: 191 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    after: Cursor,
  },
  { additionalProperties: false },
);
const Page = Type.Object({ events: Type.Array(Summary), next: Type.Optional(Type.String()) });
const Result = Type.Object({ accepted: Type.Integer(), duplicate: Type.Integer(), unrouted: Type.Integer() });
const Results = Type.Object({
  replayed: Type.Integer(),
  /** Still without a source that takes them; they stay. */
  stillUnrouted: Type.Integer(),
  /** Refused once more, such as what is still unreadable; they stay. */
  refused: Type.Integer(),
  next: Type.Optional(Type.String()),
});

/** Bodies can be 3 MB each. */
const AT_ONCE = 10;
/** What is left after it is the next call's: the answer must not time out. */
const REPLAY_FOR_MS = 10_000;

/** What the routes need. */
export interface UnroutedEventsRoutesSettings {
  unrouted: UnroutedEvents;
  replay: Replay;
}

/** `/api/v1/unrouted-events`: for the operator, since no one can say whose these events are. */
export async function registerUnroutedEvents(
  app: ServiceApp,
  settings: UnroutedEventsRoutesSettings,
): Promise<void> {
  const { unrouted, replay } = settings;
  const admin = { onRequest: requireScope(adminScope) };
  const tags = ['unrouted events'];

  app.get(
    '/api/v1/unrouted-events',
    { ...admin, schema: { tags, querystring: Filter, response: { 200: ok(Page) } } },
    async (request) => {
      const { limit = 50, ...filter } = request.query;
      const events = await unrouted.list({ ...filter, limit });
      const last = events.length === limit ? events.at(-1) : undefined;
      return succeed({ events, ...(last && { next: cursorOf(last) }) });
    },
  );
  app.get(
    '/api/v1/unrouted-events/:id',
    { ...admin, schema: { tags, params: IdParams, response: { 200: ok(Whole) } } },
    async (request) => {
      const event = await find(request.params.id);
      return succeed({ ...event, headers: headersOf(event) });
    },
  );
  app.post(
    '/api/v1/unrouted-events/:id/replay',
    { ...admin, schema: { tags, params: IdParams, response: { 200: ok(Result) } } },
    async (request) => {
      const event = await find(request.params.id);
      const result = await takeIn(event, request);
      if (result.unrouted > 0)
        throw stillUnrouted('the event still has no source that takes it', { details: { ...result } });
      await unrouted.markReplayed(event.id);
      return succeed(result);
    },
  );
  app.post(
    '/api/v1/unrouted-events/replay',
    { ...admin, schema: { tags, body: Which, response: { 200: ok(Results) } } },
    async (request) => {
      const { limit = 100, after: start, ...filter } = request.body;
      const results = { replayed: 0, stillUnrouted: 0, refused: 0 };
      const untilMs = performance.now() + REPLAY_FOR_MS;
      let after = start;
      let left = limit;
      while (left > 0 && performance.now() < untilMs) {
        const events = await unrouted.waiting({ ...filter, after, limit: Math.min(AT_ONCE, left) });
        for (const event of events) {
          results[await replayOne(event, request)] += 1;
          after = cursorOf(event);
        }
        if (events.length < Math.min(AT_ONCE, left)) return succeed(results);
        left -= events.length;
      }
      return succeed({ ...results, ...(after !== undefined && { next: after }) });
    },
  );

  function takeIn(event: UnroutedEventRow, request: FastifyRequest) {
    const { merchantId: _operator, ...meta } = jobMetaOf(request);
    const { kind, appId } = event;
    const sourceKey = event.sourceKey ?? undefined;
    const body = Buffer.from(event.body, event.bodyEncoding);
    return replay({ kind, appId, sourceKey, body, headers: headersOf(event) }, meta);
  }

  async function replayOne(event: UnroutedEventRow, request: FastifyRequest) {
    try {
      const { unrouted: count } = await takeIn(event, request);
      if (count > 0) return 'stillUnrouted';
      await unrouted.markReplayed(event.id);
      return 'replayed';
    } catch (error) {
      // A Redis or database that is away ends the call; an event that is at fault only itself.
      if (isRefusal(error)) return 'refused';
      throw error;
    }
  }

  async function find(id: string) {
    const event = await unrouted.find(id);
    if (!event) throw unroutedEventUnknown('there is no such event', { details: { id } });
    return event;
  }
}

function headersOf({ headers }: { headers: string | null }): Record<string, string> {
  return headers === null ? {} : (JSON.parse(headers) as Record<string, string>);
}
