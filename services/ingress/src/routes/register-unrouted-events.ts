import { adminScope, jobMetaOf, ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { stillUnrouted, unroutedEventUnknown } from '../errors.ts';
import type { Replay } from '../intake/create-replay.ts';
import type { UnroutedEvents } from '../intake/create-unrouted-events.ts';
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
const Filter = Type.Object({
  reason: Type.Optional(Type.String({ maxLength: 64 })),
  replayed: Type.Optional(Type.Boolean()),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  /** `next` of the page before. */
  before: Type.Optional(Type.String({ pattern: '^\\d{1,15}\\.[A-Za-z0-9_-]+$', maxLength: 100 })),
});
const Page = Type.Object({ events: Type.Array(Summary), next: Type.Optional(Type.String()) });
const Result = Type.Object({ accepted: Type.Integer(), duplicate: Type.Integer(), unrouted: Type.Integer() });

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
      return succeed({ events, ...(last && { next: `${last.receivedAtMs}.${last.id}` }) });
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
      const body = Buffer.from(event.body, event.bodyEncoding);
      const { merchantId: _operator, ...meta } = jobMetaOf(request);
      const { kind, appId } = event;
      const sourceKey = event.sourceKey ?? undefined;
      const result = await replay({ kind, appId, sourceKey, body, headers: headersOf(event) }, meta);
      if (result.unrouted > 0)
        throw stillUnrouted('the event still has no source that takes it', { details: { ...result } });
      await unrouted.markReplayed(event.id);
      return succeed(result);
    },
  );

  async function find(id: string) {
    const event = await unrouted.find(id);
    if (!event) throw unroutedEventUnknown('there is no such event', { details: { id } });
    return event;
  }
}

function headersOf({ headers }: { headers: string | null }): Record<string, string> {
  return headers === null ? {} : (JSON.parse(headers) as Record<string, string>);
}
