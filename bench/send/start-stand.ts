import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProducer, type JobToAdd, type Producer } from '@switchyard/jobs';
import { freePort, spawnNode, startMysql, startRedis, type TestProcess } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { pino } from 'pino';

/** What a process has used. */
export interface Figures {
  sql: number;
  redis: number;
  cpuMs: number;
  rssMb: number;
}

/** campaign-sender with everything around it, each in a process of its own, and the hands to work it. */
export interface Stand {
  database: 'sqlite' | 'mysql';
  simulatorUrl: string;
  control: Redis;
  producer: Producer;
  worker: TestProcess;
  /** Asks the worker's control server. */
  ask<T>(path: string, input?: object): Promise<T>;
  /** Asks the simulator's control API. */
  simulator<T>(method: string, path: string, body?: object): Promise<T>;
  figures(): Promise<Figures>;
  /** Processor time of a process so far, in ms; 0 where there is none: SQLite has no server. */
  cpuOf(name: 'redis' | 'simulator' | 'mysql'): number;
  putNumbers(count: number, level: 'STANDARD' | 'HIGH'): Promise<void>;
  accepted(): Promise<number>;
  close(): Promise<void>;
}

export interface StandOptions {
  database?: 'sqlite' | 'mysql';
  connections?: number;
  /** Settings of the simulator over quiet ones: no limits, no window, no statuses. */
  settings?: Record<string, object>;
  nodeArgs?: string[];
  /** Flags of the simulator's node. */
  simulatorArgs?: string[];
  env?: Record<string, string>;
}

const root = new URL('../../', import.meta.url);

/** Starts Redis (AOF), the database, the simulator, a receiver of its webhooks that stands for ingress, and one worker. */
export async function startStand(options: StandOptions = {}): Promise<Stand> {
  const teardowns: (() => unknown)[] = [];
  const owner = { teardown: (run: () => unknown) => void teardowns.unshift(run) };
  const close = async () => {
    for (const run of teardowns.splice(0)) await run();
  };
  try {
    return await build(owner, close, options);
  } catch (error) {
    await close();
    throw error;
  }
}

async function build(
  owner: { teardown(run: () => unknown): void },
  close: () => Promise<void>,
  {
    database = 'sqlite',
    connections = 100,
    settings = {},
    nodeArgs = [],
    simulatorArgs = [],
    env = {},
  }: StandOptions,
): Promise<Stand> {
  const redis = await startRedis(owner, { aof: true });
  const mysql = database === 'mysql' ? await startMysql(owner, { buffers: 'usual' }) : undefined;
  const dataDir = await mkdtemp(join(tmpdir(), 'switchyard-bench-'));
  owner.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const control = new Redis(`${redis.url}/1`);
  owner.teardown(() => control.disconnect());
  const producer = createProducer({
    connection: control,
    prefix: 'bull',
    logger: pino({ level: 'silent' }),
  });
  owner.teardown(() => producer.close());
  const ingressUrl = await startReceiver(owner, producer);

  const simulator = spawnNode(owner, new URL('tools/simulator/src/main.ts', root), {
    nodeArgs: simulatorArgs,
    env: {
      PORT: '0',
      SIMULATOR_WEBHOOK_URL: ingressUrl,
      SIMULATOR_SETTINGS: JSON.stringify({
        limits: { throughput: false, pair: false },
        window: { mode: 'off' },
        statuses: { enabled: false },
        ...settings,
      }),
    },
  });
  const ready = JSON.parse(await simulator.waitForLine(/"simulator ready"/)) as { url: string };

  const extraArgs = (process.env.BENCH_NODE_ARGS ?? '').split(' ').filter(Boolean);
  const controlPort = await freePort();
  const worker = spawnNode(owner, new URL('services/campaign-sender/test/load/worker.ts', root), {
    nodeArgs: [...nodeArgs, ...extraArgs],
    env: {
      NODE_ENV: 'development',
      HOST: '127.0.0.1',
      PORT: String(await freePort()),
      CONTROL_PORT: String(controlPort),
      LOG_LEVEL: 'warn',
      REDIS_URL: redis.url,
      DATA_DIR: dataDir,
      DATABASE_URL: mysql?.url,
      WHATSAPP_API_URL: ready.url,
      SEND_CONNECTIONS: String(connections),
      ...env,
    },
  });
  // A profile is written by a process that ends by itself.
  if (extraArgs.length > 0) owner.teardown(() => worker.kill('SIGTERM'));
  await worker.waitForLine(/worker ready/, { timeoutMs: 60_000 });
  const ask = async <T>(path: string, input?: object): Promise<T> => {
    const answer = await fetch(`http://127.0.0.1:${controlPort}${path}`, {
      method: 'POST',
      body: input === undefined ? '' : JSON.stringify(input),
    });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  const callSimulator = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await fetch(`${ready.url}/_simulator/${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const { data, error } = (await answer.json()) as { data: T; error?: { message: string } };
    if (error) throw new Error(`${path}: ${error.message}`);
    return data;
  };
  const questions = mysql ? await countQuestions(owner, mysql.url) : undefined;
  const pids = { redis: () => redis.pid, simulator: () => simulator.pid, mysql: () => mysql?.pid };
  return {
    database,
    simulatorUrl: ready.url,
    control,
    producer,
    worker,
    ask,
    simulator: callSimulator,
    async figures() {
      const figures = await ask<Figures>('/figures');
      return questions ? { ...figures, sql: await questions() } : figures;
    },
    cpuOf(name) {
      const pid = pids[name]();
      return pid === undefined ? 0 : cpuMsOf(pid);
    },
    async putNumbers(count, throughputLevel) {
      for (let from = 0; from < count; from += 50)
        await Promise.all(
          Array.from({ length: Math.min(50, count - from) }, (_, index) =>
            callSimulator('PUT', 'numbers', {
              id: String(300_000_000_000_000 + from + index),
              businessAccountId: '200000000000001',
              throughputLevel,
            }),
          ),
        );
    },
    accepted: async () =>
      (await callSimulator<{ accepted: number }>('GET', 'statistics?numbers=none')).accepted,
    close,
  };
}

/** User and system time of a process; Linux counts it in ticks of 10 ms. */
export function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function countQuestions(owner: { teardown(run: () => unknown): void }, url: string) {
  const connection = await createConnection(url);
  owner.teardown(() => connection.end());
  return async () => {
    const [rows] = await connection.query("show global status like 'Questions'");
    return Number((rows as { Value: string }[])[0]!.Value);
  };
}

/** Stands for ingress: a webhook's statuses become one job. */
async function startReceiver(owner: { teardown(run: () => unknown): void }, producer: Producer) {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { entry } = JSON.parse(Buffer.concat(chunks).toString()) as {
        entry: {
          changes: {
            value: { metadata: { phone_number_id: string }; statuses?: Record<string, unknown>[] };
          }[];
        }[];
      };
      const jobs = entry.flatMap(({ changes }) =>
        changes.flatMap(({ value }): JobToAdd[] =>
          value.statuses
            ? [
                {
                  queue: 'receipts',
                  name: 'apply-statuses',
                  payload: {
                    merchantId: 'default',
                    phoneNumberId: value.metadata.phone_number_id,
                    statuses: value.statuses,
                    receivedAtMs: Date.now(),
                  },
                },
              ]
            : [],
        ),
      );
      await producer.addMany(jobs);
      response.end('ok');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  owner.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
