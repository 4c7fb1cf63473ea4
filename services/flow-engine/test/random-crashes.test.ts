import { eachDatabase } from '@switchyard/test-kit';
import t from 'tap';
import { runRandomFlows } from './chaos/random-flows.ts';
import { startEngine } from './helper.ts';

const FLOWS = 50;

await eachDatabase(
  t,
  'random flows, with a process that dies at random before and after its commits, leave the journal of runs without a death',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const report = await runRandomFlows(engine, { flows: FLOWS, seed: 20_261_128 });
    t.ok(report.deaths > FLOWS, `the process died ${report.deaths} times`);
    t.ok(report.repeats > FLOWS / 2, `${report.repeats} inputs came again`);
    t.strictSame(report.different, [], 'the same steps, effects and messages');
    t.ok(report.replayed >= 2 * FLOWS, `${report.replayed} runs were replayed`);
    t.strictSame(report.replayedOtherwise, []);
  },
);
