import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createSqliteDatabase, spawnNode, startRedis } from '@switchyard/test-kit';
import fc from 'fast-check';
import { environmentOf } from '../ingress.ts';
import { anyRequest, type FuzzRequest } from './requests.ts';

/** What came of it. */
export interface FuzzReport {
  requests: number;
  /** Makes the same requests again. */
  seed: number;
  /** By kind of request and answer. */
  answers: Record<string, number>;
  /** Answers that are not right, with the bytes that got them. */
  wrong: string[];
  hasEnded: boolean;
  residentMib: number[];
  errorLines: string[];
}

type Owner = Parameters<typeof spawnNode>[0] & Parameters<typeof createSqliteDatabase>[0];

const MAIN = new URL('../../src/main.ts', import.meta.url);
const CHUNK = 500;
const HANG_MS = 60_000;
const SAMPLES = 10;
const WRONG_SHOWN = 20;

/** Sends as many malformed requests over real sockets to an ingress of its own, and holds every answer to what is right. */
export async function runFuzz(
  owner: Owner,
  plan: { requests: number; seed: number; connections: number; log: (line: string) => void },
): Promise<FuzzReport> {
  const redis = await startRedis(owner);
  const database = await createSqliteDatabase(owner);
  const child = spawnNode(owner, MAIN, {
    env: {
      ...environmentOf(redis, database),
      LOG_LEVEL: 'info',
      // A busy machine must not look like a fault of what is tested.
      MAX_EVENT_LOOP_DELAY_MS: '0',
      MAX_EVENT_LOOP_UTILIZATION: '0',
    },
  });
  const line = await child.waitForLine(/listening at http/i, { timeoutMs: 120_000 });
  const port = Number(/http:\/\/[\d.]+:(\d+)/.exec(line)![1]);
  const ended = child.exited.then(() => true);
  const hasEnded = () => Promise.race([ended, delay(10, false)]);
  const report: FuzzReport = {
    requests: 0,
    seed: plan.seed,
    answers: {},
    wrong: [],
    hasEnded: false,
    residentMib: [],
    errorLines: [],
  };

  async function tryOne(request: FuzzRequest): Promise<void> {
    const answer = await send(port, request);
    const key = `${request.kind.split(',')[0]} → ${answer}`;
    report.answers[key] = (report.answers[key] ?? 0) + 1;
    report.requests += 1;
    if (!request.allowed.includes(answer as never) && report.wrong.length < WRONG_SHOWN)
      report.wrong.push(`${request.kind}: ${answer}; ${request.bytes.subarray(0, 2000).toString('base64')}`);
  }

  const perSample = Math.ceil(plan.requests / SAMPLES);
  for (let done = 0; done < plan.requests && !(await hasEnded()); done += CHUNK) {
    const requests = fc.sample(anyRequest, { numRuns: CHUNK, seed: plan.seed + done }).values();
    await Promise.all(
      Array.from({ length: plan.connections }, async () => {
        for (const request of requests) await tryOne(request);
      }),
    );
    if (Math.floor((done + CHUNK) / perSample) > report.residentMib.length) {
      report.residentMib.push(residentMib(child.pid));
      plan.log(`${report.requests} requests, ${report.residentMib.at(-1)} MiB, ${report.wrong.length} wrong`);
    }
  }
  report.hasEnded = await hasEnded();
  report.errorLines = child.output
    .split('\n')
    .filter((each) => /"level":"(error|fatal)"/.test(each))
    .slice(0, WRONG_SHOWN);
  return report;
}

/** Sends one request on a connection of its own. @returns the status, `none` where there is none, `hang` where neither comes. */
async function send(port: number, { bytes, manner }: FuzzRequest): Promise<number | 'none' | 'hang'> {
  const socket = connect(port, '127.0.0.1');
  // A server may hang up while bytes still come; that is an answer too.
  socket.on('error', () => undefined);
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    if (answer.length < 100) answer += chunk;
    if (/^HTTP\/1\.1 \d{3}/.test(answer)) socket.destroy();
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    socket.destroy();
  }, HANG_MS);
  const closed = once(socket, 'close').catch(() => undefined);
  if (manner === 'slow') await dribble(socket, bytes);
  else if (manner === 'cut') socket.end(bytes);
  else socket.write(bytes);
  await closed;
  clearTimeout(timer);
  const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1];
  if (status !== undefined) return Number(status);
  return isLate ? 'hang' : 'none';
}

/** A few bytes now and then. */
async function dribble(socket: ReturnType<typeof connect>, bytes: Buffer): Promise<void> {
  const pieces = 12;
  const size = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length && !socket.destroyed; at += size) {
    socket.write(bytes.subarray(at, at + size));
    await delay(20);
  }
}

function residentMib(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024);
}
