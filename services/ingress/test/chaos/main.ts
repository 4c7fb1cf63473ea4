/**
 * The fault test at full size: `npm run chaos:ingress [-- <kills>]`. Exits 1 when an acknowledged event was lost or had two effects.
 */
import { runChaos } from './run-chaos.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);
const teardowns: (() => unknown)[] = [];
try {
  const kills = Number(process.argv[2] ?? 200);
  const report = await runChaos(
    { teardown: (run) => void teardowns.unshift(run) },
    {
      kills,
      replicas: 3,
      senders: 16,
      redisKills: 3,
      redisForgets: 3,
      freezeMs: 20_000,
      dedupStops: 2,
      dedupStopMs: 5000,
      log: print,
    },
  );
  const { lost, doubled, ...figures } = report;
  print(JSON.stringify({ ...figures, lost: lost.length, doubled: doubled.length }, null, 2));
  if (lost.length > 0) print(`lost: ${lost.slice(0, 20).join(' ')}`);
  if (doubled.length > 0) print(`doubled: ${doubled.slice(0, 20).join(' ')}`);
  const isFine = lost.length === 0 && doubled.length === 0 && report.kills >= kills;
  print(isFine ? 'each event had its effect once; none was lost' : 'NOT as promised');
  process.exitCode = isFine ? 0 : 1;
} finally {
  for (const teardown of teardowns) await teardown();
}
