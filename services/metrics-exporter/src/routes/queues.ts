import type { QueueCounts } from '@switchyard/jobs';
import { queueNames } from '@switchyard/jobs';
import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import type { Logger } from 'pino';
import Type from 'typebox';
import { figuresUnavailable } from '../errors.ts';
import type { QueueFiguresReader } from '../queues/create-queue-figures.ts';
import type { QueueStatus } from '../queues/judge-queue.ts';
import { describeStatistics, Statistics } from './statistics.ts';

const Count = Type.Integer({ minimum: 0 });
const Totals = Type.Object({
  waiting: Count,
  active: Count,
  completed: Count,
  failed: Count,
  delayed: Count,
});
const Counts = Type.Object({ name: Type.String(), ...Totals.properties, isPaused: Type.Boolean() });
const Health = Type.Object({
  status: Type.Union([Type.Literal('healthy'), Type.Literal('degraded'), Type.Literal('unhealthy')]),
  redis: Type.Object({ connected: Type.Boolean() }),
  queues: Type.Record(Type.String(), Counts),
  totals: Totals,
  timestamp: Type.String({ description: 'ISO 8601' }),
});
const Ended = Type.Object({ completed: Count, failed: Count });
const QueueMetrics = Type.Object({
  ...Counts.properties,
  oldestWaitingMs: Type.Union([Type.Integer(), Type.Null()], { description: 'Null where none waits.' }),
  workers: Type.Union([Count, Type.Null()], { description: 'Null where Redis does not tell.' }),
  perMinute: { ...Ended, description: 'Jobs that ended in the last whole minute.' },
  lastMinutes: Type.Object(
    { completed: Type.Array(Count), failed: Type.Array(Count) },
    {
      description: 'The last 15 minutes, newest first; the first is under way.',
    },
  ),
  ended: { ...Ended, description: 'Jobs that ended since the queue exists.' },
  problems: Type.Array(Type.String(), { description: 'paused, waiting-too-long, no-workers' }),
});
const shownMinutes = 15;
const dayMinutes = 1440;

/** Routes for the state of the queues (R6.2, R6.3). They show figures of all merchants together, never a job. */
export function registerQueues(app: ServiceApp, deps: { figures: QueueFiguresReader; logger: Logger }): void {
  const { figures, logger } = deps;
  const tags = ['queues'];
  const preHandler = requireScope('queues:read');

  async function read(minutes: number) {
    try {
      return await figures.read(minutes);
    } catch (cause) {
      throw figuresUnavailable("the queues' Redis does not answer; try again", { cause, delayMs: 5000 });
    }
  }

  app.get(
    '/api/v1/queues/health',
    {
      preHandler,
      schema: {
        tags,
        summary: 'State of all queues; 503 with the same shape, all figures zero, while their Redis is away.',
        response: { 200: ok(Health), 503: Type.Object({ success: Type.Literal(false), data: Health }) },
      },
    },
    async (_request, reply) => {
      const timestamp = new Date().toISOString();
      try {
        const all = await figures.read(1);
        const status: QueueStatus = all.some(({ problems }) => problems.length > 0) ? 'degraded' : 'healthy';
        return succeed(
          describe(
            status,
            all.map(({ counts }) => counts),
            timestamp,
          ),
        );
      } catch (error) {
        logger.warn({ err: error }, "the queues' figures can't be read");
        const data = describe('unhealthy', queueNames.map(noCounts), timestamp);
        return reply.code(503).send({ success: false, data });
      }
    },
  );

  app.get(
    '/api/v1/queues/metrics',
    {
      preHandler,
      schema: {
        tags,
        summary: 'Figures of each queue.',
        response: {
          200: ok(
            Type.Object({
              queues: Type.Record(Type.String(), QueueMetrics),
              timestamp: Type.String({ description: 'ISO 8601' }),
            }),
          ),
        },
      },
    },
    async () => {
      const all = await read(shownMinutes);
      const queues = all.map(({ counts, oldestWaitingMs, workers, throughput, problems }) => {
        const { completed, failed } = throughput;
        return [
          counts.name,
          {
            ...counts,
            oldestWaitingMs: oldestWaitingMs ?? null,
            workers: workers ?? null,
            perMinute: { completed: completed.minutes[1] ?? 0, failed: failed.minutes[1] ?? 0 },
            lastMinutes: { completed: completed.minutes, failed: failed.minutes },
            ended: { completed: completed.total, failed: failed.total },
            problems,
          },
        ] as const;
      });
      return succeed({ queues: Object.fromEntries(queues), timestamp: new Date().toISOString() });
    },
  );

  app.get(
    '/api/v1/queues/statistics',
    {
      preHandler,
      schema: {
        tags,
        summary: 'Totals, throughput and failure rate of the last hour and day.',
        response: { 200: ok(Statistics) },
      },
    },
    async () => {
      const all = await read(dayMinutes);
      return succeed({
        totals: sum(all.map(({ counts }) => counts)),
        ...describeStatistics(all),
        timestamp: new Date().toISOString(),
      });
    },
  );
}

function describe(status: QueueStatus, counts: readonly QueueCounts[], timestamp: string) {
  return {
    status,
    redis: { connected: status !== 'unhealthy' },
    queues: Object.fromEntries(counts.map((each) => [each.name, each])),
    totals: sum(counts),
    timestamp,
  };
}

function noCounts(name: QueueCounts['name']): QueueCounts {
  return { name, waiting: 0, active: 0, completed: 0, failed: 0, delayed: 0, isPaused: false };
}

function sum(counts: readonly QueueCounts[]) {
  const totals = { waiting: 0, active: 0, completed: 0, failed: 0, delayed: 0 };
  for (const each of counts)
    for (const state of Object.keys(totals) as (keyof typeof totals)[]) totals[state] += each[state];
  return totals;
}
