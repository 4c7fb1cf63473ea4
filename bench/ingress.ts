/**
 * Ingress against a bare Fastify handler that does the same HMAC, the same Redis commands and the same `add`: text messages, AOF on,
 * 50 connections, rounds in turn. Also a POST of 1000 statuses, the process's memory over a million events, and what a remembered
 * event costs in Redis. Both servers are started anew every two rounds, and the median is of all rounds: processes of one and the same
 * code differ by a tenth, as a shared machine does from one minute to the next.
 *
 *   node --conditions=@switchyard/source bench/ingress.ts [seconds per round] [pairs of processes] [events; 0 leaves memory out]
 *
 * BENCH_NODE_ARGS goes to the node of ingress, such as --cpu-prof.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signMeta, spawnNode, startRedis } from '@switchyard/test-kit';
import { Redis } from 'ioredis';

const seconds = Number(process.argv[2] ?? 5);
const pairs = Number(process.argv[3] ?? 6);
const events = Number(process.argv[4] ?? 1_000_000);
const WARM_UP_MS = 4000;
/** Rounds of each process. */
const ROUNDS_OF_PAIR = 2;
const MESSAGES_PER_POST = 20;
const SAMPLES = 10;
const CONNECTIONS = 50;
const SECRET = 'bench-secret';
const NUMBER = '106540352242922';
const teardowns: (() => unknown)[] = [];
const owner = { teardown: (run: () => unknown) => void teardowns.unshift(run) };

function envelope(value: object): Buffer {
  const metadata = { display_phone_number: '15550783881', phone_number_id: NUMBER };
  const changes = [{ field: 'messages', value: { messaging_product: 'whatsapp', metadata, ...value } }];
  return Buffer.from(
    JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: '102290129340398', changes }] }),
  );
}

let serial = 0;
function textMessages(count: number): Buffer {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const text = { body: 'Hello, is the blue one still there in size M? I would take two of them.' };
  const messages = Array.from({ length: count }, () => {
    const id = `wamid.HBgLMTU1NTEyMzQ1NjcVAgASGBQzQTdCN0${process.pid}${serial++}`;
    return { from: '15551234567', id, timestamp, type: 'text', text };
  });
  return envelope({ contacts: [{ profile: { name: 'Ana' }, wa_id: '15551234567' }], messages });
}

function post(url: string, agent: Agent, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      'x-hub-signature-256': signMeta(body, SECRET),
    };
    const request = httpRequest(`${url}/webhooks/whatsapp`, { method: 'POST', agent, headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    request.once('error', reject).end(body);
  });
}

interface Round {
  rate: number;
  p99Ms: number;
  /** CPU time per request: says the most on a machine that does other things too. */
  cpuUs: Cpu;
}

/** CPU time of everything that takes part, in µs. */
interface Cpu {
  /** The server's main thread. */
  main: number;
  /** Its other threads: garbage collection, compression, the database's log. */
  threads: number;
  redis: number;
  client: number;
}

/** User and system time of a process or thread, in µs; Linux counts it in ticks of 10 ms. */
function ticksOf(path: string): number {
  const fields = readFileSync(`/proc/${path}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function cpuOf(pid: number, redisPid: number): Cpu {
  const main = ticksOf(`${pid}/task/${pid}`);
  const all = readdirSync(`/proc/${pid}/task`).reduce((sum, id) => sum + ticksOf(`${pid}/task/${id}`), 0);
  const { user, system } = process.cpuUsage();
  return { main, threads: all - main, redis: ticksOf(String(redisPid)), client: user + system };
}

/** One round at a server. */
async function measure(url: string, pid: number, redisPid: number, durationMs: number): Promise<Round> {
  const before = cpuOf(pid, redisPid);
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const times: number[] = [];
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() - startedAt < durationMs) {
        const sentAt = performance.now();
        const status = await post(url, agent, textMessages(1));
        if (status !== 200) throw new Error(`${url} answered ${status}`);
        times.push(performance.now() - sentAt);
      }
    }),
  );
  const elapsedMs = performance.now() - startedAt;
  agent.destroy();
  const after = cpuOf(pid, redisPid);
  const perRequest = (name: keyof Cpu) => (after[name] - before[name]) / times.length;
  times.sort((a, b) => a - b);
  return {
    rate: (times.length / elapsedMs) * 1000,
    p99Ms: times[Math.floor(times.length * 0.99)]!,
    cpuUs: {
      main: perRequest('main'),
      threads: perRequest('threads'),
      redis: perRequest('redis'),
      client: perRequest('client'),
    },
  };
}

const mib = (bytes: number) => Math.round(bytes / 1_048_576);

/** Resident memory of a process. */
function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

/** Sends events, a batch per POST, and looks at the process's memory on the way; the queue is emptied as a consumer would. */
async function measureMemory(url: string, pid: number, control: Redis): Promise<void> {
  await control.flushall();
  const usedBytes = async () => Number(/used_memory:(\d+)/.exec(await control.info('memory'))![1]);
  const emptyBytes = await usedBytes();
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const resident: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    let left = Math.ceil(events / SAMPLES / MESSAGES_PER_POST);
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        while (left-- > 0) {
          const status = await post(url, agent, textMessages(MESSAGES_PER_POST));
          if (status !== 200) throw new Error(`${url} answered ${status}`);
        }
      }),
    );
    await control.select(1);
    await control.flushdb();
    resident.push(rssOf(pid));
    const sent = Math.round((events * (sample + 1)) / SAMPLES);
    console.log(`after ${sent} events: ${mib(resident.at(-1)!)} MiB resident`);
  }
  agent.destroy();
  await control.select(2);
  const keys = await control.dbsize();
  const perKey = ((await usedBytes()) - emptyBytes) / keys;
  const half = resident.length / 2;
  const first = median(resident.slice(0, half));
  const second = median(resident.slice(half));
  console.log(`memory, second half / first half: ${(second / first).toFixed(2)} (target: flat)`);
  console.log(
    `${keys} remembered events, ${perKey.toFixed(0)} bytes of Redis each, all counted (target ≤ 160)`,
  );
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

interface Servers {
  readonly urls: Record<'bare' | 'ingress', string>;
  readonly pids: Record<'bare' | 'ingress', number>;
  /** Ends them by a signal that lets them write what they are to write, such as a profile. */
  stop(): Promise<void>;
}

/** Starts both servers anew: how well a process has come to be compiled differs from one to the next. */
async function startServers(redisUrl: string): Promise<Servers> {
  const dataDir = await mkdtemp(join(tmpdir(), 'switchyard-bench-'));
  owner.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const bare = spawnNode(owner, new URL('./ingress-bare.ts', import.meta.url), { args: [redisUrl, SECRET] });
  const ingress = spawnNode(owner, new URL('../services/ingress/src/main.ts', import.meta.url), {
    nodeArgs: (process.env.BENCH_NODE_ARGS ?? '').split(' ').filter(Boolean),
    env: {
      PORT: '0',
      HOST: '127.0.0.1',
      REDIS_URL: redisUrl,
      DATA_DIR: dataDir,
      WHATSAPP_PHONE_NUMBER_ID: NUMBER,
      WHATSAPP_ACCESS_TOKEN: 'bench',
      WHATSAPP_APP_SECRET: SECRET,
    },
  });
  const urlOf = async (line: Promise<string>) => /http:\/\/[\d.:]+/.exec(await line)![0];
  return {
    urls: {
      bare: await urlOf(bare.waitForLine(/listening at http/i)),
      ingress: await urlOf(ingress.waitForLine(/listening at http/i)),
    },
    pids: { bare: bare.pid, ingress: ingress.pid },
    async stop() {
      await Promise.all([bare.kill('SIGTERM'), ingress.kill('SIGTERM')]);
    },
  };
}

try {
  const redis = await startRedis(owner, { aof: true });
  const control = new Redis(redis.url);
  const figures: Record<'bare' | 'ingress', Round[]> = { bare: [], ingress: [] };
  let servers = await startServers(redis.url);
  for (let pair = 0; pair < pairs; pair++) {
    if (pair > 0) {
      await servers.stop();
      servers = await startServers(redis.url);
    }
    const { urls, pids } = servers;
    for (const name of ['bare', 'ingress'] as const)
      await measure(urls[name], pids[name], redis.pid!, WARM_UP_MS);
    for (let round = 0; round < ROUNDS_OF_PAIR; round++)
      for (const name of ['bare', 'ingress'] as const) {
        await control.flushall();
        figures[name].push(await measure(urls[name], pids[name], redis.pid!, seconds * 1000));
      }
  }
  const { urls, pids } = servers;
  for (const name of ['bare', 'ingress'] as const) {
    const rate = median(figures[name].map((each) => each.rate));
    const p99Ms = median(figures[name].map((each) => each.p99Ms));
    const cpu = (part: keyof Cpu) => median(figures[name].map(({ cpuUs }) => cpuUs[part])).toFixed(0);
    console.log(
      `${name}: ${rate.toFixed(0)} requests/s, p99 ${p99Ms.toFixed(1)} ms; CPU each: main thread ${cpu('main')} µs, other threads ${cpu('threads')} µs, Redis ${cpu('redis')} µs, client ${cpu('client')} µs`,
    );
  }
  const ratios = figures.ingress.map((each, round) => each.rate / figures.bare[round]!.rate);
  console.log(`throughput, ingress / bare: ${(median(ratios) * 100).toFixed(0)} % (target ≥ 85 %)`);
  const slower = figures.ingress.map((each, round) => each.p99Ms / figures.bare[round]!.p99Ms);
  console.log(`p99, ingress / bare: ${median(slower).toFixed(2)} (target ≤ 1.5)`);

  const agent = new Agent({ keepAlive: true });
  const times: number[] = [];
  for (let round = 0; round < 30; round++) {
    const statuses = Array.from({ length: 1000 }, (_, index) => ({
      id: `wamid.HBgLMTU1NTEyMzQ1NjcVAgASGBQzQTdCN0${round}-${index}`,
      status: 'delivered',
      timestamp: '1763660000',
      recipient_id: '15551234567',
      biz_opaque_callback_data: `msg_${round}_${index}.1`,
    }));
    const body = envelope({ statuses });
    const sentAt = performance.now();
    await post(urls.ingress, agent, body);
    times.push(performance.now() - sentAt);
  }
  agent.destroy();
  console.log(`a POST of 1000 statuses: ${median(times).toFixed(1)} ms median (target ≤ 25 ms)`);

  if (events > 0) await measureMemory(urls.ingress, pids.ingress, control);
  await servers.stop();
  control.disconnect();
} finally {
  for (const teardown of teardowns) await teardown();
}
