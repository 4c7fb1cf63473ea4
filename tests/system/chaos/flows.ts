/**
 * Thousands of conversations of several turns while every service is killed at random and Redis restarts: each person must read exactly
 * what a run without faults says, in order, nothing twice. Then recorded runs are replayed.
 *
 *   npm run chaos:flows [-- conversations (5000) [at a time (200) [sqlite|mysql [seed]]]]
 *
 * Exits 1 when anybody read anything else, or a run replays otherwise.
 */
import { createMysqlDatabase, createSqliteDatabase } from '@switchyard/test-kit';
import { runFlowChaos } from '../test/system/flow-chaos.ts';
import { startSystem } from '../test/system/start-system.ts';

const [conversations = '5000', atATime = '200', database = 'sqlite', seed = '1'] = process.argv.slice(2);
const REPLAYS = 1000;
const teardowns: (() => unknown)[] = [];
const owner = { teardown: (run: () => unknown) => void teardowns.unshift(run) };

try {
  const system = await startSystem(owner, {
    database: await (database === 'mysql' ? createMysqlDatabase(owner) : createSqliteDatabase(owner)),
    ...(database === 'mysql' ? { replicas: { 'flow-engine': 2, 'campaign-sender': 2 } } : {}),
    simulator: { window: { mode: 'off' } },
    env: { API_RATE_PER_MINUTE: '0', LOG_LEVEL: 'warn' },
  });
  let shownAt = 0;
  const report = await runFlowChaos(system, {
    conversations: Number(conversations),
    atATime: Number(atATime),
    pauseMs: 3000,
    redisEveryMs: 20_000,
    deadlineMs: 30 * 60_000,
    seed: Number(seed),
    onProgress(done, kills) {
      if (performance.now() - shownAt < 10_000) return;
      shownAt = performance.now();
      console.log(`${done} conversations have ended, ${kills} processes were killed`);
    },
  });
  const repeats = system.simulator.repeats();
  console.log(
    `${conversations} conversations in ${report.seconds.toFixed(0)} s; killed: ${Object.entries(report.kills)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}, redis ${report.redisRestarts}`,
  );
  console.log(
    `unfinished: ${report.unfinished.length}; wrong transcripts: ${report.wrong.length}; messages sent twice: ${repeats.length}`,
  );
  for (const { phone, read, expected } of report.wrong.slice(0, 10))
    console.log(`${phone} read ${JSON.stringify(read)}, not ${JSON.stringify(expected)}`);

  let replayed = 0;
  let different = 0;
  for (let before: string | undefined; replayed < REPLAYS; ) {
    const page = await system.api<{ id: string }[]>(
      'flow-engine',
      `/api/v1/runs?limit=500${before === undefined ? '' : `&before=${before}`}`,
    );
    for (const { id } of page.slice(0, REPLAYS - replayed)) {
      const { identical } = await system.api<{ identical: boolean }>(
        'flow-engine',
        `/api/v1/runs/${id}/replay`,
        {},
      );
      replayed += 1;
      if (!identical) different += 1;
    }
    before = page.at(-1)?.id;
    if (page.length < 500) break;
  }
  console.log(`${replayed} recorded runs replayed, ${different} otherwise than recorded`);
  const isGood =
    report.unfinished.length + report.wrong.length + repeats.length + different === 0 &&
    Object.values(report.kills).every((count) => count > 0);
  process.exitCode = isGood ? 0 : 1;
} finally {
  for (const teardown of teardowns) await teardown();
}
