/**
 * `npm run chaos:messages [-- messages [kills]]`: the promise that nothing is lost and nothing is sent twice, at full size, on both
 * databases. Ends with 1 when it does not hold.
 */
import {
  createMysqlDatabase,
  createSqliteDatabase,
  type Teardown,
  type TestDatabase,
} from '@switchyard/test-kit';
import { type ChaosOptions, type ChaosReport, runChaos } from './run-chaos.ts';
import { flowing, impatient, withheld } from './scenarios.ts';

const messages = Number(process.argv[2] ?? 20_000);
const kills = Number(process.argv[3] ?? 50);
const only = process.argv[4];
const NUMBERS = 10;
let isBroken = false;
const print = (line: string) => process.stdout.write(`${line}\n`);

async function run(
  title: string,
  open: (t: Teardown) => Promise<TestDatabase>,
  options: ChaosOptions,
  isFine: (report: ChaosReport) => boolean,
): Promise<void> {
  if (only !== undefined && !title.includes(only)) return;
  const teardowns: (() => unknown)[] = [];
  const t = { teardown: (work: () => unknown) => void teardowns.unshift(work) };
  try {
    print(`${title} …`);
    const report = await runChaos(t, await open(t), { ...options, log: (line) => print(`  ${line}`) });
    const { lost, repeated, mended, predicted, surprises, accepted, incidents, states } = report;
    print(
      `  ${accepted} accepted in ${report.seconds.toFixed(0)} s; ${report.kills} workers killed, Redis killed ${report.redisRestarts} times`,
    );
    print(`  incidents ${JSON.stringify(incidents)}; states ${JSON.stringify(states)}`);
    print(
      `  lost ${lost.length}, sent more than once ${repeated.length}, predicted ${predicted.length}, sent again after a failed receipt ${mended}, surprises ${surprises.length}`,
    );
    for (const line of [...lost.map((id) => `lost: ${id}`), ...surprises].slice(0, 20)) print(`  ${line}`);
    const fine = isFine(report);
    print(fine ? '  as promised' : '  NOT as promised');
    if (!fine) isBroken = true;
  } finally {
    for (const work of teardowns) await work();
  }
}

// About a second of sending from one kill to the next, beside the time that a process takes to start.
const perSecond = messages / kills / NUMBERS;
const common = { messages, numbers: NUMBERS, perSecond };
const once = ({ lost, repeated, mended, surprises }: ChaosReport) =>
  lost.length === 0 && repeated.length === 0 && surprises.length === 0 && mended > 0;

await run(
  'receipts flow, mysql, three workers',
  createMysqlDatabase,
  { ...common, ...flowing, kills, redisRestarts: 3, workers: 3 },
  (report) => once(report) && report.kills >= kills,
);
await run(
  'receipts flow, sqlite, one worker',
  createSqliteDatabase,
  { ...common, ...flowing, kills, redisRestarts: 3, workers: 1 },
  (report) => once(report) && report.kills >= kills,
);
for (const [name, open, workers] of [
  ['mysql', createMysqlDatabase, 3],
  ['sqlite', createSqliteDatabase, 1],
] as const) {
  await run(
    `receipts withheld, ${name}`,
    open,
    { ...common, ...withheld, messages: Math.ceil(messages / 4), perSecond: 40, workers },
    ({ lost, surprises, predicted }) => lost.length === 0 && surprises.length === 0 && predicted.length > 0,
  );
  await run(
    `parking switched off, ${name}`,
    open,
    { ...common, ...impatient, messages: Math.ceil(messages / 20), perSecond: 40, workers },
    ({ surprises }) => surprises.length > 0,
  );
}
process.exitCode = isBroken ? 1 : 0;
