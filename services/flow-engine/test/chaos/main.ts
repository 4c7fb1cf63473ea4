/**
 * Hundreds of random flows with a process that dies at random before and after its commits: their journals and messages must be those
 * of runs without a death, and every run must replay identically.
 *
 *   npm run chaos:runs [-- flows (400, at most 499) [sqlite|mysql [seed]]]
 *
 * Exits 1 when any differs.
 */
import { createMysqlDatabase, createSqliteDatabase } from '@switchyard/test-kit';
import { startEngine } from '../helper.ts';
import { runRandomFlows } from './random-flows.ts';

const [flows = '400', which = 'sqlite', seed = '1'] = process.argv.slice(2);
const print = (line: string) => process.stdout.write(`${line}\n`);
const teardowns: (() => unknown)[] = [];
const owner = { teardown: (run: () => unknown) => void teardowns.unshift(run) };

try {
  const database = await (which === 'mysql' ? createMysqlDatabase(owner) : createSqliteDatabase(owner));
  // Each published flow and replayed run is a call.
  const engine = await startEngine(owner, database, { env: { API_RATE_PER_MINUTE: '0' } });
  const startedAt = performance.now();
  const report = await runRandomFlows(engine, {
    flows: Number(flows),
    seed: Number(seed),
    onProgress(done) {
      if (done % 50 === 0) print(`${done} flows`);
    },
  });
  print(
    `${which}: ${flows} random flows in ${((performance.now() - startedAt) / 1000).toFixed(0)} s, ${report.deaths} deaths, ${report.repeats} inputs came again; journals that differ: ${report.different.length}`,
  );
  print(`${report.replayed} runs replayed, ${report.replayedOtherwise.length} otherwise than recorded`);
  for (const each of report.different.slice(0, 3)) print(JSON.stringify(each, null, 1));
  process.exitCode = report.different.length + report.replayedOtherwise.length === 0 ? 0 : 1;
} finally {
  for (const teardown of teardowns) await teardown();
}
