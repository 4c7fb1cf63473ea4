import { randomInt } from 'node:crypto';
import { eachDatabase, spawnNode, startRedis } from '@switchyard/test-kit';
import t from 'tap';
import { open } from './helper.ts';

const file = new URL('./fixtures/thousand-transactions.ts', import.meta.url);
const transactions = 1000;

/** Every step of the protocol, and how often a run passes it at most before the death. */
const points: [point: string, most: number][] = [
  ['before-insert', 150],
  ['after-insert', 150],
  ['after-commit', 150],
  ['before-add', 8],
  ['between-adds', 200],
  ['after-add', 8],
  ['after-delete', 8],
  ['before-effect-commit', 200],
  ['after-effect', 200],
];

// Ten processes after each other, twice, on a machine that may be busy.
t.setTimeout(300_000);

await eachDatabase(
  t,
  'a process killed at every step of 1,000 transactions: state and jobs agree, each effect once',
  async (t, target) => {
    const redis = await startRedis(t);
    const run = (killAt?: string, killAfter?: number) =>
      spawnNode(t, file, {
        env: {
          DATABASE_URL: target.url,
          DATA_DIR: target.dataDir,
          TEST_REDIS: redis.url,
          TRANSACTIONS: String(transactions),
          NODE_ENV: 'test',
          KILL_AT: killAt,
          KILL_AFTER: killAfter === undefined ? undefined : String(killAfter),
        },
      });
    let deaths = 0;
    for (const [point, most] of points) {
      const killAfter = randomInt(1, most + 1);
      const { signal, code } = await run(point, killAfter).exited;
      if (signal === 'SIGKILL') deaths++;
      else t.equal(code, 0, `${point} after ${killAfter}`);
    }
    const last = run();
    const { code } = await last.exited;
    t.equal(code, 0, last.output);
    t.ok(deaths >= points.length - 2, `killed ${deaths} times`);

    const { db } = await open(t, target);
    t.equal((await db.selectFrom('states').select('id').execute()).length, transactions);
    t.equal((await db.selectFrom('outbox').select('id').execute()).length, 0, 'nothing is left behind');
    const effects = (await db.selectFrom('effects').select('jobId').execute()).map(({ jobId }) => jobId);
    const expected = Array.from({ length: transactions }, (_, i) => [`s${i}-x`, `s${i}-y`]).flat();
    t.strictSame(effects.toSorted(), expected.toSorted(), 'each effect once');
  },
);
