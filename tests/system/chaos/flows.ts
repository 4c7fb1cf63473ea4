/**
 * Thousands of conversations of several turns while every service is killed at random and Redis restarts: each person must read exactly
 * what a run without faults says, in order, nothing twice. Then recorded runs are replayed.
 *
 *   npm run chaos:flows [-- conversations (5000) [at a time (1000) [sqlite|mysql [seed]]]]
 *
 * Exits 1 when anybody read anything else, or a run replays otherwise.
 */
import { createMysqlDatabase, createSqliteDatabase } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import { runFlowChaos } from '../test/system/flow-chaos.ts';
import { startSystem } from '../test/system/start-system.ts';

const [conversations = '5000', atATime = '1000', database = 'sqlite', seed = '1'] = process.argv.slice(2);
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
  const startedAt = performance.now();
  let shownAt = startedAt;
  const memory = watchMemory(system.redis.url);
  const report = await runFlowChaos(system, {
    conversations: Number(conversations),
    atATime: Number(atATime),
    pauseMs: 3000,
    redisEveryMs: 20_000,
    deadlineMs: 7 * 60_000,
    seed: Number(seed),
    onProgress(done, kills) {
      if (performance.now() - shownAt < 10_000) return;
      shownAt = performance.now();
      console.log(
        `${Math.round((shownAt - startedAt) / 1000)} s: ${done} conversations have ended, ${kills} processes were killed`,
      );
    },
  });
  const { mostMiB, nowMiB, keys } = await memory.end();
  console.log(
    `Redis: ${mostMiB.toFixed(0)} MiB at most, ${nowMiB.toFixed(0)} MiB and ${keys} keys of the queue role at the end`,
  );
  const repeats = system.simulator.repeats();
  console.log(
    `${report.conversations} conversations in ${report.seconds.toFixed(0)} s; killed: ${Object.entries(
      report.kills,
    )
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}, redis ${report.redisRestarts}`,
  );
  console.log(
    `unfinished: ${report.unfinished.length}; wrong transcripts: ${report.wrong.length}; messages sent twice: ${repeats.length}`,
  );
  for (const { phone, turn, read } of report.unfinished.slice(0, 10))
    console.log(`${phone} stands at turn ${turn} and read ${JSON.stringify(read)}`);
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
    report.redisRestarts > 0 &&
    Object.values(report.kills).every((count) => count > 0);
  process.exitCode = isGood ? 0 : 1;
} finally {
  for (const teardown of teardowns) await teardown();
}

/** Looks at the memory of Redis every half second, as far as it is there. */
function watchMemory(url: string) {
  const redis = new Redis(url, { db: 1, maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  let mostMiB = 0;
  const look = async () => {
    const used = /used_memory:(\d+)/.exec(await redis.info('memory'))?.[1];
    const miB = Number(used) / 2 ** 20;
    mostMiB = Math.max(mostMiB, miB);
    return miB;
  };
  const timer = setInterval(() => void look().catch(() => undefined), 500);
  return {
    async end() {
      clearInterval(timer);
      const nowMiB = await look();
      const keys = await redis.dbsize();
      redis.disconnect();
      return { mostMiB, nowMiB, keys };
    },
  };
}
