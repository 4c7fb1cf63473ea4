/**
 * flow-engine (ask, branch, send; journal on) from the inbound event to the send request, against a bare chain of the same queues, in
 * one run; what one event costs with ever more runs waiting; and 100,000 runs that are due at one instant beside live traffic.
 *
 *   node --conditions=@switchyard/source bench/flow.ts [sqlite|mysql|both] [throughput|waiting|burst|all] [seconds per round] [rounds]
 */
import {
  createMysqlDatabase,
  createSqliteDatabase,
  spawnNode,
  startRedis,
  type TestDatabase,
} from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import { type BenchEngine, cpuOf, publish, startEngine } from './flow/engine.ts';
import { askFlow, waitFlow } from './flow/flows.ts';
import { openLoad, percentile, type Round } from './flow/load.ts';
import { copyRun, makeDue } from './flow/seed.ts';

const [which = 'both', part = 'all'] = process.argv.slice(2);
const seconds = Number(process.argv[4] ?? 6);
const rounds = Number(process.argv[5] ?? 3);
const AT_A_TIME = 200;
const WAITING = 100_000;
const LIVE_PER_SECOND = 40;
const LIVE_MS = 15_000;
/** Whose waiting run is copied. */
const ORIGINAL = 'con_1000000';
/** How long the bench watches the burst being worked off. */
const RESUME_MOST_MS = 60_000;
const teardowns: (() => unknown)[] = [];
const owner = { teardown: (run: () => unknown) => void teardowns.unshift(run) };

const median = (values: readonly number[]) => percentile(values, 0.5);
const ms = (values: readonly number[]) =>
  `p50 ${percentile(values, 0.5).toFixed(0)} ms, p99 ${percentile(values, 0.99).toFixed(0)} ms`;
const does = (name: string) => part === 'all' || part === name;

interface Figures extends Round {
  cpuUs: number;
}

async function throughput(redisUrl: string, database: TestDatabase): Promise<void> {
  const control = new Redis(redisUrl, { db: 1 });
  const figures: Record<'bare' | 'engine', Figures[]> = { bare: [], engine: [] };
  for (let round = 0; round <= rounds; round += 1)
    for (const name of ['bare', 'engine'] as const) {
      await control.flushdb();
      const figure = name === 'bare' ? await measureBare(redisUrl) : await measureEngine(redisUrl, database);
      // The first warms the databases up.
      if (round > 0) figures[name].push(figure);
    }
  control.disconnect();
  for (const name of ['bare', 'engine'] as const) {
    const all = figures[name];
    const applied = all.flatMap(({ appliedMs }) => appliedMs);
    const taken = all.flatMap(({ takenMs }) => takenMs);
    console.log(
      `${database.name} ${name}: ${median(all.map(({ rate }) => rate)).toFixed(0)} events/s, ${median(all.map(({ cpuUs }) => cpuUs)).toFixed(0)} µs CPU each; event → request ${ms(applied)}; request → worker ${ms(taken)} (at full load)`,
    );
  }
  const shares = figures.engine.map(({ rate }, index) => rate / figures.bare[index]!.rate);
  console.log(
    `${database.name} throughput, engine / bare: ${(median(shares) * 100).toFixed(0)} % (target ≥ 35 %)`,
  );
}

async function measureBare(redisUrl: string): Promise<Figures> {
  const bare = spawnNode(owner, new URL('./flow-bare.ts', import.meta.url), { args: [redisUrl] });
  await bare.waitForLine(/is ready/);
  const figures = await measure(redisUrl, () => cpuOf(bare.pid));
  await bare.kill();
  return figures;
}

async function measureEngine(redisUrl: string, database: TestDatabase): Promise<Figures> {
  const engine = await prepared(redisUrl, database);
  const figures = await measure(redisUrl, engine.cpuUs);
  await engine.stop();
  return figures;
}

/** Full load for one round, after a second to warm up. */
async function measure(redisUrl: string, cpuUs: () => number): Promise<Figures> {
  const load = await openLoad(redisUrl);
  await load.converse({ atATime: AT_A_TIME, durationMs: 1500 });
  const before = cpuUs();
  const round = await load.converse({ atATime: AT_A_TIME, durationMs: seconds * 1000 });
  const spent = cpuUs() - before;
  await load.close();
  return { ...round, cpuUs: spent / round.appliedMs.length };
}

/** An engine with the bench's flows. */
async function prepared(redisUrl: string, database: TestDatabase): Promise<BenchEngine> {
  const engine = await startEngine(owner, redisUrl, database);
  const flows = await engine.api<{ name: string; state: string; id: string }[]>('/api/v1/flows');
  // The welcome flow has the same keyword.
  if (flows.some(({ id, state }) => id === 'flow_welcome' && state === 'active'))
    await engine.api('/api/v1/flows/flow_welcome/archive', {});
  for (const definition of [askFlow, waitFlow])
    if (!flows.some(({ name }) => name === definition.name)) await publish(engine, definition);
  // A replica knows of a publish within two seconds.
  await new Promise((resolve) => setTimeout(resolve, 2100));
  return engine;
}

/** Starts one run of the wait flow through the queue. @returns its id. */
async function startWaiting(redisUrl: string, database: TestDatabase): Promise<string> {
  const engine = await prepared(redisUrl, database);
  const load = await openLoad(redisUrl);
  await load.say(ORIGINAL, 'wait for it');
  let run: { id: string } | undefined;
  while (!run) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    [run] = await engine.api<{ id: string }[]>(`/api/v1/runs?contactId=${ORIGINAL}`);
  }
  await load.close();
  await engine.stop();
  return run.id;
}

async function waiting(redisUrl: string, database: TestDatabase, runId: string): Promise<void> {
  const costs: number[] = [];
  let seeded = 0;
  for (const count of [100, 10_000, WAITING]) {
    await copyRun(database, runId, { from: seeded, to: count });
    seeded = count;
    const { rate, cpuUs } = await measureEngine(redisUrl, database);
    costs.push(cpuUs);
    console.log(
      `${database.name} with ${count} waiting runs: ${rate.toFixed(0)} events/s, ${cpuUs.toFixed(0)} µs CPU each`,
    );
  }
  console.log(
    `${database.name} cost per event with ${WAITING} / with 100 waiting runs: ${(costs.at(-1)! / costs[0]!).toFixed(2)} (target: flat)`,
  );
}

async function burst(redisUrl: string, database: TestDatabase): Promise<void> {
  const engine = await prepared(redisUrl, database);
  const load = await openLoad(redisUrl);
  const live = { atATime: 0, perSecond: LIVE_PER_SECOND };
  await load.converse({ ...live, durationMs: 3000 });
  const idle = await load.converse({ ...live, durationMs: LIVE_MS });
  const total = (round: Round) => round.appliedMs.map((each, index) => each + round.takenMs[index]!);
  console.log(`${database.name} live while idle: ${ms(total(idle))}`);
  const dueAtMs = Date.now() + 12_000;
  await engine.stop();
  await makeDue(database, dueAtMs);
  const again = await prepared(redisUrl, database);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAtMs - Date.now())));
  const startedAt = performance.now();
  const busy = await load.converse({ ...live, durationMs: LIVE_MS });
  const during = load.strangers();
  while (load.strangers() < WAITING && performance.now() - startedAt < RESUME_MOST_MS)
    await new Promise((resolve) => setTimeout(resolve, 250));
  const tookS = (performance.now() - startedAt) / 1000;
  await load.close();
  await again.stop();
  const p99 = [idle, busy].map((round) => percentile(total(round), 0.99)) as [number, number];
  console.log(
    `${database.name} live while ${WAITING} runs are due at once: ${ms(total(busy))}; ${during} resumed meanwhile, ${load.strangers()} in ${tookS.toFixed(0)} s`,
  );
  console.log(`${database.name} live p99, busy / idle: ${(p99[1] / p99[0]).toFixed(2)} (target ≤ 3)`);
}

try {
  for (const name of ['sqlite', 'mysql'] as const) {
    if (which !== 'both' && which !== name) continue;
    const redis = await startRedis(owner, { aof: true });
    const database = await (name === 'sqlite' ? createSqliteDatabase(owner) : createMysqlDatabase(owner));
    if (does('throughput')) await throughput(redis.url, database);
    if (!does('waiting') && !does('burst')) continue;
    const runId = await startWaiting(redis.url, database);
    if (does('waiting')) await waiting(redis.url, database, runId);
    else await copyRun(database, runId, { from: 0, to: WAITING });
    if (does('burst')) await burst(redis.url, database);
  }
} finally {
  for (const teardown of teardowns) await teardown();
}
