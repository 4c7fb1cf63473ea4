import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type spawnNode, startRedis, until } from '@switchyard/test-kit';
import { environmentOf, SECRET } from '../ingress.ts';
import { startConsumer } from './consumer.ts';
import { createProvider } from './provider.ts';
import { startReplicas, warmUp } from './replicas.ts';

/** What is to be done to it. */
export interface ChaosPlan {
  /** SIGKILLs of ingress, each while requests are in flight. */
  kills: number;
  replicas: number;
  /** Events that the provider has under way at a time. */
  senders: number;
  /** SIGKILLs of the queue Redis (AOF). */
  redisKills: number;
  /** How often it also forgets what it has acknowledged within about a second before. */
  redisForgets: number;
  /** How long the queue Redis is frozen, once; 0 for never. */
  freezeMs: number;
  /** How often the deduplication Redis is stopped, and for how long. */
  dedupStops: number;
  dedupStopMs: number;
  log: (line: string) => void;
}

/** What came of it. */
export interface ChaosReport {
  kills: number;
  events: number;
  acknowledged: number;
  /** Answers by status. */
  answers: Record<string, number>;
  /** Acknowledged events without an effect. */
  lost: string[];
  /** Events with more than one. */
  doubled: string[];
  /** How many were acknowledged since the mark that Redis was set back to. */
  forgotten: number;
  /** Repeated jobs that the consumer's unique key absorbed. */
  repeatsAbsorbed: number;
  seconds: number;
}

type Owner = Parameters<typeof spawnNode>[0];

/** Does all of the plan under load, then lets the provider finish, and compares what was acknowledged with what had an effect. */
export async function runChaos(owner: Owner, plan: ChaosPlan): Promise<ChaosReport> {
  const startedAt = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-chaos-'));
  owner.teardown(() => rm(folder, { recursive: true, force: true }));
  const redis = await startRedis(owner, { aof: true });
  const dedup = await startRedis(owner);
  const environments = Array.from({ length: plan.replicas }, (_, index) =>
    environmentOf(
      redis,
      { name: 'sqlite', url: undefined, dataDir: join(folder, `replica-${index}`) },
      {
        REDIS_WEBHOOK_URL: `${dedup.url}/2`,
        NODE_COMPILE_CACHE: join(folder, 'compiled'),
        // A Redis that forgets and an ingress that is killed before it has stored what it holds are survived in strict mode only.
        INGRESS_STRICT: String(plan.redisForgets > 0),
      },
    ),
  );
  await warmUp(owner, environments[0]!);
  const { replicas, stop } = startReplicas(owner, environments);
  owner.teardown(stop);
  const consumer = startConsumer({ redisUrl: redis.url, folder });
  owner.teardown(() => consumer.close());
  const provider = createProvider({ replicas, secret: SECRET, senders: plan.senders });
  owner.teardown(() => provider.close());

  const areUp = () => replicas.every(({ url }) => url !== undefined);
  await until(areUp, { timeoutMs: 120_000, what: 'all replicas listen' });

  let kills = 0;
  /** Kills one replica after the other, as soon as it works. */
  async function killUntil(count: number): Promise<void> {
    for (let turn = 0; kills < count; turn++) {
      if (replicas[turn % replicas.length]!.kill()) {
        kills += 1;
        if (kills % 20 === 0) plan.log(`${kills} kills, ${provider.acknowledged.size} events acknowledged`);
      }
      await delay(Math.random() * 100);
    }
  }

  let forgotten = 0;
  const faults: { name: string; run: () => Promise<void> }[] = [];
  for (let turn = 0; turn < plan.redisKills; turn++)
    faults.push({
      name: 'queue Redis killed',
      async run() {
        await redis.kill();
        await delay(500);
        await redis.start();
      },
    });
  for (let turn = 0; turn < plan.redisForgets; turn++)
    faults.push({
      name: 'queue Redis dies and forgets its last second',
      async run() {
        await redis.mark();
        const before = provider.acknowledged.size;
        await until(() => provider.acknowledged.size > before + 10, {
          timeoutMs: 60_000,
          what: 'there is something to forget',
        });
        await delay(Math.random() * 1000);
        forgotten += provider.acknowledged.size - before;
        await redis.forget();
      },
    });
  for (let turn = 0; turn < plan.dedupStops; turn++)
    faults.push({
      name: 'deduplication Redis stopped',
      async run() {
        await dedup.stop();
        await delay(plan.dedupStopMs);
        await dedup.start();
      },
    });
  if (plan.freezeMs > 0)
    faults.push({
      name: 'queue Redis frozen',
      async run() {
        await redis.freeze();
        await delay(plan.freezeMs);
        redis.thaw();
      },
    });

  for (const [index, { name, run }] of faults.entries()) {
    await killUntil(Math.floor((plan.kills * (index + 1)) / (faults.length + 1)));
    // A fault of Redis is to meet ingresses that work.
    await until(areUp, { timeoutMs: 120_000, what: 'all replicas listen' });
    const before = provider.acknowledged.size;
    await until(() => provider.acknowledged.size > before, { timeoutMs: 60_000, what: 'events pass' });
    plan.log(name);
    await run();
    const after = provider.acknowledged.size;
    await until(() => provider.acknowledged.size > after, { timeoutMs: 60_000, what: 'events pass again' });
  }
  await killUntil(plan.kills);
  plan.log('faults are done');
  await until(areUp, { timeoutMs: 120_000, what: 'all replicas listen again' });
  await provider.finish();
  const atOnce = await provider.deliverAtOnce('fifty-at-once', 50);
  if (atOnce.some((status) => status !== 200)) throw new Error(`at once: ${atOnce.join(' ')}`);
  await until(() => consumer.count().different >= provider.acknowledged.size, {
    timeoutMs: 120_000,
    what: 'every acknowledged event has its effect',
  }).catch(() => plan.log('not every acknowledged event has had its effect'));
  // What would come twice would have come by now: everything before it in the queue is done.
  await provider.deliverAtOnce('the-last', 1);
  await until(() => consumer.effects().has('the-last'), { timeoutMs: 60_000, what: 'the last event' });

  const effects = consumer.effects();
  const report = {
    kills,
    events: provider.sent + 2,
    acknowledged: provider.acknowledged.size,
    answers: Object.fromEntries(provider.answers),
    lost: [...provider.acknowledged].filter((id) => !effects.has(id)),
    doubled: [...effects].filter(([, times]) => times > 1).map(([id]) => id),
    forgotten,
    repeatsAbsorbed: consumer.repeats,
    seconds: Math.round((performance.now() - startedAt) / 1000),
  };
  return report;
}
