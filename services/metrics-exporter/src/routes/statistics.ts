import Type, { type Static } from 'typebox';
import type { QueueFigures } from '../queues/create-queue-figures.ts';

const Count = Type.Integer({ minimum: 0 });
const Window = Type.Object({
  completed: Count,
  failed: Count,
  perMinute: Type.Number({ description: 'Jobs that ended per minute, on average.' }),
  failureRate: Type.Union([Type.Number(), Type.Null()], {
    description: 'Failed of all that ended, 0 to 1; null where none ended.',
  }),
});
const Throughput = Type.Object({
  lastHour: Window,
  lastDay: Window,
});

/** The answer's inside of `GET /api/v1/queues/statistics`. */
export const Statistics = Type.Object({
  totals: Type.Object({ waiting: Count, active: Count, completed: Count, failed: Count, delayed: Count }),
  ended: Type.Object(
    { completed: Count, failed: Count },
    { description: 'Jobs that ended since the queues exist.' },
  ),
  throughput: Throughput,
  queues: Type.Record(Type.String(), Throughput),
  timestamp: Type.String({ description: 'ISO 8601' }),
});

const hourMinutes = 60;
const dayMinutes = 1440;

/** Sums a day of figures up, over all queues and for each. */
export function describeStatistics(
  all: readonly QueueFigures[],
): Pick<Static<typeof Statistics>, 'ended' | 'throughput' | 'queues'> {
  return {
    ended: {
      completed: all.reduce((sum, { throughput }) => sum + throughput.completed.total, 0),
      failed: all.reduce((sum, { throughput }) => sum + throughput.failed.total, 0),
    },
    throughput: windows(all),
    queues: Object.fromEntries(all.map((each) => [each.counts.name, windows([each])])),
  };
}

function windows(all: readonly QueueFigures[]): Static<typeof Throughput> {
  return { lastHour: window(all, hourMinutes), lastDay: window(all, dayMinutes) };
}

function window(all: readonly QueueFigures[], minutes: number): Static<typeof Window> {
  let completed = 0;
  let failed = 0;
  for (const { throughput } of all) {
    for (const count of throughput.completed.minutes.slice(0, minutes)) completed += count;
    for (const count of throughput.failed.minutes.slice(0, minutes)) failed += count;
  }
  const ended = completed + failed;
  return {
    completed,
    failed,
    perMinute: ended / minutes,
    failureRate: ended === 0 ? null : failed / ended,
  };
}
