/**
 * The property test of malformed requests at full size: `npm run fuzz:ingress [-- <requests> <seed>]`. Exits 1 on a wrong answer, an end
 * of the process, or memory that grows.
 */
import { runFuzz } from './run-fuzz.ts';

const GROWTH_ALLOWED = 1.3;
const print = (line: string) => process.stdout.write(`${line}\n`);
const teardowns: (() => unknown)[] = [];
try {
  const requests = Number(process.argv[2] ?? 100_000);
  const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
  const owner = { teardown: (run: () => unknown) => void teardowns.unshift(run) };
  const report = await runFuzz(owner, { requests, seed, connections: 48, log: print });
  const { residentMib } = report;
  // What comes first fills caches and makes machine code.
  const growth = Math.max(...residentMib.slice(-2)) / Math.max(...residentMib.slice(1, 4));
  print(JSON.stringify({ ...report, growth: Number(growth.toFixed(2)) }, null, 2));
  const isFine =
    report.wrong.length === 0 &&
    !report.hasEnded &&
    report.requests >= requests &&
    report.errorLines.length === 0 &&
    growth < GROWTH_ALLOWED;
  print(isFine ? 'every answer was right' : 'NOT as promised');
  process.exitCode = isFine ? 0 : 1;
} finally {
  for (const teardown of teardowns) await teardown();
}
