import { setTimeout as pause } from 'node:timers/promises';
import { type FaultInput, startSimulator } from '@switchyard/simulator';
import { startRedis, type Teardown, type TestDatabase } from '@switchyard/test-kit';
import { startIngress } from '../helper.ts';
import { personOf, phoneNumberIdOf, senderIdOf } from '../load/fill-tables.ts';
import { type Accounts, checkAccounts } from './check-accounts.ts';
import { startWorkers, type Workers } from './start-workers.ts';

/** How rough a run is. */
export interface ChaosOptions {
  messages: number;
  numbers: number;
  /** Of each number. */
  perSecond: number;
  /** 1 on SQLite. */
  workers: number;
  /** SIGKILLs of workers at least, spread over the run. */
  kills: number;
  /** Times that Redis is killed and started again. */
  redisRestarts: number;
  faults: readonly FaultInput[];
  timeoutMs: number;
  graceMs: number;
  /** From acceptance to the first receipt; 20 unless said. */
  receiptsAfterMs?: number;
  /** `off`: unknown ends are sent again at once. */
  parking?: 'off';
  seed?: number;
  log?: (line: string) => void;
}

/** What a run came to. */
export interface ChaosReport extends Accounts {
  kills: number;
  redisRestarts: number;
  accepted: number;
  incidents: Record<string, number>;
  states: Record<string, number>;
  seconds: number;
}

const lanes = ['transactional', 'flow', 'campaign'] as const;
/** Messages that some jobs have together. */
const JOINED = 7;
const openStates = ['queued', 'sending', 'parked'];

/** Sends messages while everything around them dies, and holds the outcome against the provider's own books. */
export async function runChaos(
  t: Teardown,
  database: TestDatabase,
  options: ChaosOptions,
): Promise<ChaosReport> {
  const { messages, numbers, perSecond, receiptsAfterMs = 20, log = () => undefined } = options;
  const startedAt = performance.now();
  const redis = await startRedis(t, { aof: true });
  const ingress = await startIngress(t, redis);
  const [first, ...others] = Array.from({ length: numbers }, (_, index) => ({
    id: phoneNumberIdOf(index),
    throughputLevel: 'HIGH' as const,
  }));
  const simulator = await startSimulator({
    webhookUrl: ingress.url,
    seed: options.seed ?? 1,
    recordCapacity: 10 * messages + 10_000,
    numbers: [first!, ...others],
    settings: {
      window: { mode: 'off' },
      limits: { pair: false },
      statuses: {
        sentDelayMs: receiptsAfterMs,
        deliveredDelayMs: receiptsAfterMs + 40,
        readDelayMs: receiptsAfterMs + 130,
        jitter: 1,
        shuffle: true,
        duplicateRate: 0.05,
      },
      webhooks: { retryBaseMs: 100, retryMaxMs: 1000 },
    },
  });
  t.teardown(() => simulator.close());
  // A person gets so few that the limit per pair does not decide how fast the run is.
  const people = Math.max(numbers, Math.ceil(messages / 2));
  const workers = await startWorkers(t, options.workers, {
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'fatal',
    REDIS_URL: redis.url,
    DATABASE_URL: database.url,
    DATA_DIR: database.dataDir,
    WHATSAPP_API_URL: simulator.url,
    SEND_HTTP_TIMEOUT_MS: String(options.timeoutMs),
    SEND_UNKNOWN_GRACE_MS: String(options.graceMs),
    SEND_CONNECTIONS: '50',
    PARKING: options.parking,
  });
  await workers.ask('/numbers', { count: numbers, perSecond });
  await workers.ask('/people', { count: people, numbers });
  for (const fault of options.faults) simulator.addFault(fault);

  // Half of them are asked for, by jobs of one or of several, as flows do; half are recorded beforehand and handed out by the dispatcher, as a campaign is.
  const recorded = Math.floor(messages / 2);
  const asked = Array.from({ length: messages - recorded }, (_, index) => `m_${index}`);
  const ids = [...asked, ...Array.from({ length: recorded }, (_, index) => `m_backlog_${index}`)];
  await workers.ask('/backlog', { count: recorded, people, numbers });
  let extra = 0;
  const request = (messageId: string, person: number, lane: (typeof lanes)[number]) => ({
    ...{ messageId, lane, to: personOf(person), content: `text of ${messageId}` },
    senderId: senderIdOf(person % numbers),
  });
  const send = async (messageId: string, person: number, lane: (typeof lanes)[number]) =>
    ingress.add({ queue: 'messages', name: 'send-message', payload: request(messageId, person, lane) });
  const asking = (async () => {
    for (let at = 0; at < asked.length; at += JOINED) {
      const several = asked.slice(at, at + JOINED);
      const isAlone = (at / JOINED) % 2 === 0;
      // Those of one job are of one lane.
      const lane = (index: number) => lanes[(isAlone ? index : at / JOINED) % 3]!;
      const requests = several.map((id, index) => request(id, (at + index) % people, lane(at + index)));
      if (isAlone)
        for (const payload of requests)
          await ingress.add({ queue: 'messages', name: 'send-message', payload });
      else
        await ingress.add({
          queue: 'messages',
          name: 'send-messages',
          payload: { messages: requests.map((message) => ({ message })) },
        });
    }
  })();

  let redisRestarts = 0;
  const destruction = (async () => {
    const random = createRandom(options.seed ?? 1);
    while (workers.kills < options.kills) {
      // Spread over the whole run: the next one comes when about its share of the messages has gone.
      const due = (messages * 0.95 * (workers.kills + random())) / options.kills;
      while (simulator.statistics().accepted < due) await pause(20);
      await pause(200 * random());
      if (!workers.killOne(random())) continue;
      if (redisRestarts < options.redisRestarts * (workers.kills / options.kills)) {
        redisRestarts += 1;
        log(`Redis is killed (${redisRestarts})`);
        await redis.kill();
        await pause(300 * random());
        await redis.start();
      }
      if (workers.kills % 10 === 0)
        log(`${workers.kills} kills, ${simulator.statistics().accepted} accepted`);
    }
  })();
  await Promise.all([asking, destruction]);
  await workers.ready();

  // The last messages, and those that show that receipts flow, are not struck any more: else there would always be one.
  if (options.kills > 0) simulator.removeFaults();
  const states = await settle(workers, messages, async (round) => {
    // A parked message waits for a later receipt of its number: without traffic nobody could tell that receipts flow.
    for (let number = 0; number < numbers; number += 1) {
      extra += 1;
      const person = (number + round * numbers) % (people - (people % numbers));
      await send(`m_extra_${extra}`, person, 'transactional');
    }
  });
  await simulator.waitForIdle(60_000);
  const failed = new Set(await workers.ask<string[]>('/failed'));
  const accounts = checkAccounts(simulator, ids, failed);
  const { accepted, incidents } = simulator.statistics();
  return {
    ...accounts,
    ...{ kills: workers.kills, redisRestarts, accepted, incidents, states },
    seconds: (performance.now() - startedAt) / 1000,
  };
}

/** Waits until nothing is open. */
async function settle(workers: Workers, messages: number, stir: (round: number) => Promise<void>) {
  let round = 0;
  const untilMs = performance.now() + 240_000;
  for (;;) {
    const states = await workers
      .ask<Record<string, number>>('/states')
      .catch(() => ({}) as Record<string, number>);
    const open = openStates.reduce((sum, state) => sum + (states[state] ?? 0), 0);
    const total = Object.values(states).reduce((sum, count) => sum + count, 0);
    if (open === 0 && total >= messages) return states;
    if (performance.now() > untilMs) throw new Error(`not settled: ${JSON.stringify(states)}`);
    if (open > 0 && open === (states.parked ?? 0)) await stir(round++);
    await pause(1000);
  }
}

/** Chance that can be repeated. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
