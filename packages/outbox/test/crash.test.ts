import { randomInt } from 'node:crypto';
import { eachDatabase, spawnNode, startRedis } from '@switchyard/test-kit';
import t from 'tap';
import { open } from './helper.ts';

const file = new URL('./fixtures/thousand-transactions.ts', import.meta.url);
const transactions = 1000;

/** Every step of the protocol, and how often a run passes it at most before the death: with 100 new transactions, all die. */
const points: [point: string, most: number][] = [
  ['before-insert', 100],
  ['after-insert', 100],
  ['after-commit', 100],
  ['before-add', 2],
  ['between-adds', 100],
  ['after-add', 2],
  ['before-delete', 1],
  ['after-delete', 1],
  ['before-effect-commit', 100],
  ['after-effect', 100],
];

// Eleven processes after each other, twice, on a machine that may be busy.
t.setTimeout(300_000);

await eachDatabase(
  t,
  'a process killed at every step of 1,000 transactions: state and jobs agree, each effect once',
  async (t, target) => {
    const redis = await startRedis(t);
    const run = (upTo: number, killAt?: string, killAfter?: number) =>
      spawnNode(t, file, {
        env: {
          DATABASE_URL: target.url,
          DATA_DIR: target.dataDir,
          TEST_REDIS: redis.url,
          TRANSACTIONS: String(upTo),
          NODE_ENV: 'test',
          KILL_AT: killAt,
          KILL_AFTER: killAfter === undefined ? undefined : String(killAfter),
        },
      });
    for (const [i, [point, most]] of points.entries()) {
      const killAfter = randomInt(1, most + 1);
      const child = run(100 * (i + 1), point, killAfter);
      t.match(await child.exited, { signal: 'SIGKILL' }, `killed at ${point}, pass ${killAfter}`);
    }
    const last = run(transactions);
    const { code } = await last.exited;
    t.equal(code, 0, last.output);

    const { db } = await open(t, target);
    t.equal((await db.selectFrom('states').select('id').execute()).length, transactions);
    t.equal((await db.selectFrom('outbox').select('id').execute()).length, 0, 'nothing is left behind');
    const effects = (await db.selectFrom('effects').select('jobId').execute()).map(({ jobId }) => jobId);
    const expected = Array.from({ length: transactions }, (_, i) => [`s${i}-x`, `s${i}-y`]).flat();
    t.strictSame(effects.toSorted(), expected.toSorted(), 'each effect once');
  },
);
