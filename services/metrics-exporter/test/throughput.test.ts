import fc from 'fast-check';
import t from 'tap';
import { toSeries } from '../src/queues/read-throughput.ts';

const MINUTE_MS = 60_000;
const firstMinute = 29_000_000;

/** BullMQ's own counting (its script collectMetrics), in its words. */
function count(endedAtMs: readonly number[], most: number) {
  let total = 0;
  let prevTs: number | undefined;
  let prevCount = 0;
  let points: number[] = [];
  for (const atMs of endedAtMs) {
    const before = total++;
    if (prevTs === undefined) {
      prevTs = atMs;
      continue;
    }
    const passed = Math.min(Math.floor(atMs / MINUTE_MS) - Math.floor(prevTs / MINUTE_MS), most);
    if (passed <= 0) continue;
    for (let n = 0; n < passed; n++) points.unshift(n === 0 ? before - prevCount : 0);
    points = points.slice(0, most);
    prevCount = before;
    prevTs = atMs;
  }
  return {
    meta: [total, prevTs, prevCount].map((each) => (each === undefined ? null : String(each))),
    points,
  };
}

t.test('each minute shows the jobs that ended in it, however long ago the last one was', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 40 * MINUTE_MS }), { maxLength: 60 }),
      fc.integer({ min: 0, max: 30 * MINUTE_MS }),
      (offsets, idleMs) => {
        const ended = offsets.map((each) => firstMinute * MINUTE_MS + each).sort((a, b) => a - b);
        const nowMs = (ended.at(-1) ?? firstMinute * MINUTE_MS) + idleMs;
        const { meta, points } = count(ended, 1440);
        const series = toSeries(meta, points.map(String), 30, nowMs);
        const wanted = Array<number>(30).fill(0);
        for (const atMs of ended) {
          const ago = Math.floor(nowMs / MINUTE_MS) - Math.floor(atMs / MINUTE_MS);
          if (ago < 30) wanted[ago] = (wanted[ago] ?? 0) + 1;
        }
        return series.total === ended.length && series.minutes.join() === wanted.join();
      },
    ),
  );
});

t.test("a worker's clock that is ahead counts as the minute under way", async (t) => {
  const nowMs = firstMinute * MINUTE_MS;
  t.strictSame(toSeries(['3', String(nowMs + 5 * MINUTE_MS), '1'], ['1'], 3, nowMs).minutes, [2, 1, 0]);
  t.strictSame(toSeries([null, null, null], [], 2, nowMs), { total: 0, minutes: [0, 0] });
});
