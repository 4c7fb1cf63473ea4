/**
 * campaign-sender in a process of its own, as benchmarks and chaos runs need it: counts its round trips, fills its own tables, and tells
 * figures, over a control server on `CONTROL_PORT`. With `PARKING=off` calls with an unknown end are sent again at once: what a checker
 * must notice.
 */
import { createServer } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DEFAULT_MERCHANT_ID } from '@switchyard/runtime';
import { pino } from 'pino';
import { buildApp, loadServiceConfig } from '../../src/index.ts';
import { decideAfterCall } from '../../src/sending/decide-after-call.ts';
import { countRoundTrips } from './count-round-trips.ts';
import { type Backlog, fillBacklog, fillNumbers, fillPeople, makeDue } from './fill-tables.ts';

const counts = countRoundTrips();
const { env } = process;

const withoutParking: typeof decideAfterCall = (result, tries, times) => {
  const verdict = decideAfterCall(result, tries, times);
  if (result.kind !== 'unknown') return verdict;
  return {
    ...verdict,
    attempt: { ...verdict.attempt, state: 'unknown' },
    message: { state: 'queued', wakeAtMs: times.nowMs, isTry: false },
  };
};

const service = await buildApp(loadServiceConfig(env), {
  logger: pino({ level: env.LOG_LEVEL ?? 'warn' }, pino.destination(2)),
  ...(env.PARKING === 'off' ? { decideAfterCall: withoutParking } : {}),
});
const { db } = service.database;
const loop = monitorEventLoopDelay({ resolution: 1 });

const commands: Record<string, (input: Record<string, number>) => Promise<unknown>> = {
  '/numbers': ({ count, perSecond }) => fillNumbers(db, env, count!, perSecond!),
  '/people': ({ count, numbers, from }) => fillPeople(db, count!, numbers!, from),
  '/backlog': (backlog) => fillBacklog(db, backlog as unknown as Backlog),
  '/due': () => makeDue(db),
  '/figures': async () => {
    const { user, system } = process.cpuUsage();
    return { ...counts, cpuMs: (user + system) / 1000, rssMb: process.memoryUsage.rss() / 2 ** 20 };
  },
  /** How late the event loop was since it was asked last, in ms. */
  '/delays': async () => {
    loop.disable();
    const [p50, p99, max] = [loop.percentile(50), loop.percentile(99), loop.max].map((ns) => ns / 1e6 - 1);
    loop.reset();
    loop.enable();
    return { p50, p99, max };
  },
  '/heap': async () => {
    globalThis.gc?.();
    return { heapMb: process.memoryUsage().heapUsed / 2 ** 20, rssMb: process.memoryUsage.rss() / 2 ** 20 };
  },
  '/states': async () => {
    const rows = await db
      .selectFrom('messages')
      .select(({ fn }) => ['state', fn.countAll<number>().as('count')])
      .where('merchantId', '=', DEFAULT_MERCHANT_ID)
      .where('direction', '=', 'out')
      .groupBy('state')
      .execute();
    return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]));
  },
  '/failed': async () => {
    const rows = await db.selectFrom('messages').select('id').where('state', '=', 'failed').execute();
    return rows.map(({ id }) => id);
  },
};

createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', async () => {
    try {
      const answer = await commands[request.url!]!(body === '' ? {} : JSON.parse(body));
      response.end(JSON.stringify(answer ?? null));
    } catch (error) {
      response.writeHead(500).end(String((error as Error).stack));
    }
  });
}).listen(Number(env.CONTROL_PORT), '127.0.0.1');

await service.start();
process.stdout.write('worker ready\n');
process.once('SIGTERM', () => {
  void service.close().then(() => process.exit(0));
});
