import t from 'tap';
import { runFuzz } from '../fuzz/run-fuzz.ts';

// The same at full size: npm run fuzz:ingress.
t.test(
  'property: malformed requests of every kind over real sockets get no 5xx and no wrong 200',
  async (t) => {
    const seed = Date.now() % 1_000_000;
    const report = await runFuzz(t, {
      requests: 1500,
      seed,
      connections: 16,
      log: (line) => t.comment(line),
    });
    t.comment(`seed ${seed}`, JSON.stringify(report.answers));
    t.same(report.wrong, [], `seed ${seed}`);
    t.same(report.errorLines, [], 'no error was logged');
    t.equal(report.hasEnded, false, 'the process lives');
  },
);
