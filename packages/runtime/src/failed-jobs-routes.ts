import { type QueueName, queueNames } from '@switchyard/jobs';
import type { FailedJobSummary, FailedJobs } from '@switchyard/outbox';
import {
  adminScope,
  hasScope,
  ok,
  type Principal,
  requireScope,
  type ServiceApp,
  succeed,
} from '@switchyard/service-kit';
import Type from 'typebox';

const Nullable = Type.Union([Type.String(), Type.Null()]);
const Params = Type.Object({ id: Type.String({ maxLength: 191 }) });
const FailedJobAnswer = Type.Object({
  id: Type.String(),
  queue: Type.String(),
  name: Type.String(),
  jobId: Type.String(),
  merchantId: Nullable,
  correlationId: Nullable,
  code: Type.String({ description: 'Why it failed, for programs.' }),
  reason: Type.String({ description: 'Why it failed, for people.' }),
  attemptsMade: Type.Integer(),
  failedAtMs: Type.Integer(),
  retriedAtMs: Type.Union([Type.Integer(), Type.Null()]),
});

/** An admin sees every merchant's failed jobs and those that belong to none; others see their own. */
function scopeOf(principal: Principal): { merchantId?: string } {
  return hasScope(principal, adminScope) ? {} : { merchantId: principal.merchantId };
}

/** Adds the routes to look at, retry and drop the jobs that failed for good in this service. */
export function registerFailedJobs(app: ServiceApp, failedJobs: FailedJobs): void {
  const tags = ['failed jobs'];
  const read = requireScope('jobs:read');
  const write = requireScope('jobs:write');

  app.get(
    '/api/v1/failed-jobs',
    {
      preHandler: read,
      schema: {
        tags,
        summary: 'Lists jobs that failed for good, newest first.',
        querystring: Type.Object({
          queue: Type.Optional(Type.Union(queueNames.map((name) => Type.Literal(name)))),
          code: Type.Optional(Type.String({ maxLength: 64 })),
          retried: Type.Boolean({
            default: false,
            description: 'Those that were retried, instead of those that wait.',
          }),
          cursor: Type.Optional(Type.String({ maxLength: 191 })),
          limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
        }),
        response: { 200: ok(Type.Object({ failedJobs: Type.Array(FailedJobAnswer), nextCursor: Nullable })) },
      },
    },
    async (request) => {
      const { queue, ...query } = request.query;
      const page = await failedJobs.list({
        ...query,
        queue: queue as QueueName | undefined,
        ...scopeOf(request.principal),
      });
      return succeed({ failedJobs: page.items.map(toAnswer), nextCursor: page.nextCursor ?? null });
    },
  );

  app.get(
    '/api/v1/failed-jobs/:id',
    {
      preHandler: read,
      schema: {
        tags,
        summary: 'Shows a failed job with its data.',
        params: Params,
        response: {
          200: ok(
            Type.Object({
              failedJob: FailedJobAnswer,
              data: Type.String({ description: "The job's data, as JSON." }),
            }),
          ),
        },
      },
    },
    async (request) => {
      const { data, ...summary } = await failedJobs.get(request.params.id, scopeOf(request.principal));
      return succeed({ failedJob: toAnswer(summary), data });
    },
  );

  app.post(
    '/api/v1/failed-jobs/:id/retry',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Adds the job to its queue again, with all its attempts.',
        params: Params,
        response: { 202: ok(Type.Null()) },
      },
    },
    async (request, reply) => {
      await failedJobs.retry(request.params.id, scopeOf(request.principal));
      reply.status(202);
      return succeed(null);
    },
  );

  app.delete(
    '/api/v1/failed-jobs/:id',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Drops a failed job for good.',
        params: Params,
        response: { 200: ok(Type.Null()) },
      },
    },
    async (request) => {
      await failedJobs.drop(request.params.id, scopeOf(request.principal));
      return succeed(null);
    },
  );
}

function toAnswer(job: FailedJobSummary) {
  const { merchantId = null, correlationId = null, retriedAtMs = null, ...rest } = job;
  return { ...rest, merchantId, correlationId, retriedAtMs };
}
