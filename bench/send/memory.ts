import { until } from '@switchyard/test-kit';
import { joinSends } from '../../services/flow-engine/src/runs/join-sends.ts';
import { startStand } from './start-stand.ts';

const PEOPLE = 20_000;
const STEP = 20_000;

interface Heap {
  heapMb: number;
  rssMb: number;
}

/** The heap after garbage collection, while messages go through: what grows per message would be a leak. */
export async function measureMemory(database: 'sqlite' | 'mysql', messages: number): Promise<void> {
  const stand = await startStand({
    database,
    connections: 100,
    nodeArgs: ['--expose-gc'],
    settings: { statuses: { enabled: true, sentDelayMs: 50, deliveredDelayMs: 100, readDelayMs: 200 } },
  });
  try {
    await stand.putNumbers(10, 'HIGH');
    await stand.ask('/numbers', { count: 10, perSecond: 1_000_000 });
    await stand.ask('/people', { count: PEOPLE, numbers: 10 });
    const samples: (Heap & { sent: number })[] = [];
    for (let sent = 0; sent < messages; sent += STEP) {
      const jobs = Array.from({ length: STEP }, (_, index) => ({
        queue: 'messages' as const,
        name: 'send-message' as const,
        payload: {
          messageId: `m_memory_${sent + index}`,
          to: `1555${1_000_000 + ((sent + index) % PEOPLE)}`,
          content: `message ${sent + index}`,
          senderId: `snd_load_${String(((sent + index) % PEOPLE) % 10).padStart(5, '0')}`,
        },
      }));
      // In turn as jobs of one each, and of twenty as flow-engine adds them.
      await stand.producer.addMany((sent / STEP) % 2 === 0 ? jobs : joinSends(jobs));
      await until(async () => (await stand.accepted()) >= sent + STEP, {
        timeoutMs: 300_000,
        intervalMs: 200,
      });
      const heap = await stand.ask<Heap>('/heap');
      samples.push({ ...heap, sent: sent + STEP });
      console.log(
        `  ${sent + STEP} messages: heap ${heap.heapMb.toFixed(1)} MB, resident ${heap.rssMb.toFixed(0)} MB`,
      );
    }
    const half = samples.slice(Math.floor(samples.length / 2));
    const slope = slopeOf(half.map(({ sent, heapMb }) => [sent, heapMb * 2 ** 20]));
    console.log(
      `memory, ${database}: heap ${samples[0]!.heapMb.toFixed(1)} MB after ${STEP}, ${samples.at(-1)!.heapMb.toFixed(1)} MB after ${messages} messages; second half ${slope.toFixed(2)} bytes per message`,
    );
  } finally {
    await stand.close();
  }
}

/** Least squares. */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const above = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return above / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}
