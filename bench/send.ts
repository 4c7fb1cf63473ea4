/**
 * Sending against what the provider and the machine allow:
 *   rate        (a) 80/s and 1000/s per number held over a minute, without provoking 130429
 *   throughput  (b) unthrottled against a bare loop of POSTs with the same client, without latency and with 100 ms; with 10 and with
 *               10,000 numbers; round trips and CPU per message
 *   lanes       (c) a transactional message behind a campaign of 100,000 on the same number
 *   fairness    (d) 10,000 numbers, one of which is blocked
 *   memory      the heap over some hundred thousand messages
 *
 *   node --conditions=@switchyard/source bench/send.ts [parts, by comma; all but memory] [sqlite | mysql]
 *
 * A part can be asked for in smaller pieces: rate-80, rate-1000, throughput-10, throughput-10000, throughput-slow (messages that wait as
 * jobs of one), throughput-joined-10 and so on (in jobs of twenty), throughput-backlog-10 and so on (recorded in SQL). BENCH_NODE_ARGS goes to
 * the worker's node, such as --cpu-prof. BENCH_ROUNDS are the rounds of throughput-10 (5).
 */
import { measureFairness } from './send/fairness.ts';
import { measureLanes } from './send/lanes.ts';
import { measureMemory } from './send/memory.ts';
import { measureRate } from './send/rate.ts';
import { measureThroughput } from './send/throughput.ts';

const parts = (process.argv[2] ?? 'rate,throughput,lanes,fairness').split(',');
const database: 'mysql' | 'sqlite' = process.argv[3] === 'mysql' ? 'mysql' : 'sqlite';

const wants = (part: string, piece: string) => parts.includes(part) || parts.includes(`${part}-${piece}`);

for (const perSecond of [80, 1000] as const)
  if (wants('rate', String(perSecond))) await measureRate(database, perSecond);
const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const common = { database, rounds, messages: 10_000, connections: 50, latencyMs: 0, receipts: false };
const sources = ['jobs', 'joined', 'backlog'] as const;
for (const source of sources) {
  const throughput = { ...common, source, messages: source === 'backlog' ? 20_000 : common.messages };
  const prefix = source === 'jobs' ? '' : `${source}-`;
  if (wants('throughput', `${prefix}10`)) await measureThroughput({ ...throughput, numbers: 10 });
  if (wants('throughput', `${prefix}10000`))
    await measureThroughput({ ...throughput, numbers: 10_000, rounds: 3 });
  if (wants('throughput', `${prefix}slow`))
    await measureThroughput({ ...throughput, numbers: 10, latencyMs: 100, rounds: 3 });
}
if (parts.includes('lanes')) await measureLanes(database);
if (parts.includes('fairness')) await measureFairness(database);
if (parts.includes('memory')) await measureMemory(database, Number(process.argv[4] ?? 300_000));
