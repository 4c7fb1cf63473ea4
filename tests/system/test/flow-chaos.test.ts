import { createSqliteDatabase } from '@switchyard/test-kit';
import t from 'tap';
import { runFlowChaos } from './system/flow-chaos.ts';
import { startSystem } from './system/start-system.ts';

t.test(
  'while every service is killed at random and Redis restarts, each person reads exactly what a run without faults says, and runs replay identically',
  async (t) => {
    const system = await startSystem(t, {
      database: await createSqliteDatabase(t),
      simulator: { window: { mode: 'off' } },
    });
    const report = await runFlowChaos(system, {
      conversations: 60,
      // Few at a time, so that the deaths come in the middle of them.
      atATime: 8,
      pauseMs: 300,
      redisEveryMs: 7000,
      deadlineMs: 150_000,
      seed: 7,
    });
    t.comment(
      `${report.conversations} in ${report.seconds.toFixed(0)} s`,
      report.kills,
      report.redisRestarts,
    );
    t.same(report.unfinished, [], 'every conversation came to its end');
    t.same(report.wrong, [], 'each read what it should, in order, nothing twice');
    t.same(system.simulator.repeats(), []);
    t.ok(
      report.redisRestarts > 0 && Object.values(report.kills).every((count) => count > 0),
      'all have died',
    );

    const runs = await system.api<{ id: string }[]>('flow-engine', '/api/v1/runs?limit=50');
    t.ok(runs.length >= 50);
    for (const { id } of runs) {
      const { identical } = await system.api<{ identical: boolean }>(
        'flow-engine',
        `/api/v1/runs/${id}/replay`,
        {},
      );
      if (!identical) t.fail(`${id} replays otherwise`);
    }
  },
);
