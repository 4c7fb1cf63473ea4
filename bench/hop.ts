/**
 * What one hop costs: a job checked, added, taken and done, through our producer and worker, against bare BullMQ with the same
 * options, payload and Redis. Counts the CPU of this process; rounds alternate, the median counts.
 *
 * node --conditions=@switchyard/source bench/hop.ts [rounds] [jobs per round]
 *
 * Exits 1 when a hop costs more than 1.5 times the bare one.
 */
import { createProducer, createWorker, type JobToAdd, settingsOf } from '@switchyard/jobs';
import { startRedis } from '@switchyard/test-kit';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { pino } from 'pino';

const rounds = Number(process.argv[2] ?? 9);
const jobs = Number(process.argv[3] ?? 8000);
const allowedRatio = 1.5;
const inFlight = 100;
const prefix = 'bull';
const queueName = 'inbound';

interface Cost {
  addUs: number;
  processUs: number;
}

const cleanUps: (() => unknown)[] = [];
const redis = await startRedis({ teardown: (work) => void cleanUps.unshift(work) });
const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
// Logs are written as in production, synchronously at level info, but to where nobody reads them.
const logger = pino({ level: 'info' }, pino.destination({ dest: '/dev/null', sync: true }));
const settings = settingsOf(queueName);

function payloadOf(id: string) {
  return {
    merchantId: 'mer_01hzy3v7q2',
    eventId: id,
    phoneNumberId: '106540352242922',
    profile: { name: 'Ada Lovelace', waId: '4915112345678' },
    message: {
      from: '4915112345678',
      id: `wamid.${id}`,
      timestamp: '1700000000',
      type: 'text',
      text: { body: 'hello' },
    },
    occurredAtMs: 1_700_000_000_000,
    receivedAtMs: 1_700_000_000_500,
  };
}

async function cpu(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / jobs;
}

/** A counter that resolves when all jobs are done. */
function countdown() {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = jobs;
  return { all: promise, one: () => void (--left === 0 && resolve()) };
}

async function bare(round: number): Promise<Cost> {
  const queue = new Queue(queueName, { connection, prefix, skipVersionCheck: true });
  await queue.waitUntilReady();
  const addUs = await cpu(async () => {
    let next = 0;
    const lane = async () => {
      while (next < jobs) {
        const id = `bare-${round}-${next++}`;
        await queue.add('receive-message', payloadOf(id), {
          jobId: id,
          attempts: settings.attempts,
          backoff: { type: 'exponential', delay: settings.backoffMs },
        });
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
  });
  const done = countdown();
  const worker = new Worker(queueName, async () => done.one(), {
    connection,
    prefix,
    autorun: false,
    concurrency: settings.concurrency,
    lockDuration: 10_000,
    stalledInterval: 5000,
    removeOnComplete: { count: settings.retention.completed },
    removeOnFail: { count: -1 },
    metrics: { maxDataPoints: 1440 },
  });
  await worker.waitUntilReady();
  const processUs = await cpu(async () => {
    void worker.run();
    await done.all;
  });
  await worker.close();
  await queue.close();
  return { addUs, processUs };
}

async function ours(round: number): Promise<Cost> {
  const producer = createProducer({ connection, prefix, logger });
  await producer.queue(queueName).waitUntilReady();
  const addUs = await cpu(async () => {
    const toAdd: JobToAdd[] = Array.from({ length: jobs }, (_, index) => ({
      queue: queueName,
      name: 'receive-message',
      payload: payloadOf(`ours-${round}-${index}`),
      meta: { correlationId: `c-${round}-${index}`, merchantId: 'mer_01hzy3v7q2' },
    }));
    await producer.addMany(toAdd);
  });
  const done = countdown();
  const worker = createWorker({
    queue: queueName,
    connection,
    prefix,
    logger,
    processors: { 'receive-message': async () => done.one() },
    failedJobs: { record: async () => undefined },
    observer: { onFinished: () => undefined },
  });
  const processUs = await cpu(async () => {
    await worker.start();
    await done.all;
  });
  await worker.close(5000);
  await producer.close();
  return { addUs, processUs };
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

const measured: { bare: Cost; ours: Cost }[] = [];
// The first round warms both up and is not counted.
for (let round = 0; round <= rounds; round++) {
  const first = round % 2 === 0 ? bare : ours;
  const second = first === bare ? ours : bare;
  const costs = [await first(round), await second(round)] as const;
  if (round > 0)
    measured.push(first === bare ? { bare: costs[0], ours: costs[1] } : { bare: costs[1], ours: costs[0] });
}

const column = (pick: (row: { bare: Cost; ours: Cost }) => number) => median(measured.map(pick)).toFixed(1);
const ratioOf = (pick: (cost: Cost) => number) =>
  median(measured.map((row) => pick(row.ours) / pick(row.bare)));
const whole = (cost: Cost) => cost.addUs + cost.processUs;
const ratio = ratioOf(whole);
console.log(
  `CPU per job in µs, median of ${rounds} rounds of ${jobs} jobs, concurrency ${settings.concurrency}`,
);
console.log(
  `add      bare ${column((row) => row.bare.addUs)}  ours ${column((row) => row.ours.addUs)}  ×${ratioOf((cost) => cost.addUs).toFixed(2)}`,
);
console.log(
  `process  bare ${column((row) => row.bare.processUs)}  ours ${column((row) => row.ours.processUs)}  ×${ratioOf((cost) => cost.processUs).toFixed(2)}`,
);
console.log(
  `hop      bare ${column((row) => whole(row.bare))}  ours ${column((row) => whole(row.ours))}  ×${ratio.toFixed(2)} (allowed ×${allowedRatio})`,
);

connection.disconnect();
for (const cleanUp of cleanUps) await cleanUp();
process.exitCode = ratio > allowedRatio ? 1 : 0;
