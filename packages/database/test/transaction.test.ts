import { createMysqlDatabase, eachDatabase, isMysqlInstalled } from '@switchyard/test-kit';
import { sql } from 'kysely';
import t from 'tap';
import { isUniqueViolation, type Transaction } from '../src/index.ts';
import { open, type TestTables, thing } from './helper.ts';

const hasMysql = Boolean(process.env.TEST_MYSQL_URL) || isMysqlInstalled() || Boolean(process.env.CI);
const mysqlOnly = hasMysql
  ? {}
  : { skip: 'set TEST_MYSQL_URL or install mariadb-server to run this on MySQL' };

await eachDatabase(t, 'a transaction is whole or not at all', async (t, target) => {
  const { db, transaction } = await open(t, target);
  const failed = transaction(async (trx) => {
    await trx.insertInto('things').values(thing('a')).execute();
    throw new Error('no');
  });
  await t.rejects(failed, /no/);
  t.same(await db.selectFrom('things').select('id').execute(), []);
  t.equal(
    await transaction(async (trx) => {
      await trx.insertInto('things').values(thing('a')).execute();
      return 7;
    }),
    7,
  );
  t.same(await db.selectFrom('things').select('id').execute(), [{ id: 'a' }]);
  const twice = db.insertInto('things').values(thing('a')).execute();
  await t.rejects(
    twice.catch((error) => Promise.reject(isUniqueViolation(error) ? new Error('unique') : error)),
    /unique/,
  );
  t.notOk(isUniqueViolation(new Error('other')));
});

await eachDatabase(
  t,
  'a query past the transaction within it is an error, not a deadlock',
  async (t, target) => {
    const { db, transaction } = await open(t, target);
    const query = () => db.selectFrom('things').selectAll().execute();
    await t.rejects(transaction(query), { code: 'QUERY_OUTSIDE_TRANSACTION' });
    await t.rejects(
      transaction(() => transaction(async () => 1)),
      { code: 'TRANSACTION_NESTED' },
    );
    let left: Promise<unknown> | undefined;
    let go = () => {};
    await transaction(async () => {
      left = new Promise<void>((resolve) => {
        go = resolve;
      }).then(query);
    });
    go();
    t.same(await left, [], 'what a transaction leaves running may query once it has ended');
  },
);

await eachDatabase(
  t,
  'transactions and queries take turns, in order, and the event loop runs on',
  async (t, target) => {
    const { db, transaction } = await open(t, target);
    await db.insertInto('things').values(thing('a')).execute();
    let ticks = 0;
    const ticker = setInterval(() => ticks++, 5);
    await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        if (i % 3 === 0) return db.selectFrom('things').selectAll().execute();
        return transaction(async (trx) => {
          // A lock first: else two could read the same count.
          const lock = sql.raw(target.name === 'mysql' ? 'for update' : '');
          const { rows } = await sql<{
            count: number;
          }>`select count from things where id = 'a' ${lock}`.execute(trx);
          await trx
            .updateTable('things')
            .set({ count: (rows[0]?.count ?? 0) + 1 })
            .where('id', '=', 'a')
            .execute();
        });
      }),
    );
    clearInterval(ticker);
    t.equal((await db.selectFrom('things').select('count').executeTakeFirst())?.count, 200);
    t.ok(ticks > 0, `${ticks} ticks`);
  },
);

t.test('a deadlock is tried again, and nothing is lost or done twice', mysqlOnly, async (t) => {
  const { db, transaction } = await open(t, await createMysqlDatabase(t));
  await db
    .insertInto('things')
    .values([thing('a'), thing('b')])
    .execute();
  const bump = (trx: Transaction<TestTables>, id: string) =>
    sql`update things set count = count + 1 where merchantId = 'm' and id = ${id}`.execute(trx);
  let runs = 0;
  let swallowed = 0;
  const pair = async (first: string, second: string) => {
    // Both hold their first row before either asks for its second.
    let arrived = 0;
    let meet = () => {};
    const met = new Promise<void>((resolve) => {
      meet = resolve;
    });
    const one = (from: string, to: string) => {
      let isFirstRun = true;
      return transaction(async (trx) => {
        runs++;
        await bump(trx, from);
        if (isFirstRun) {
          isFirstRun = false;
          if (++arrived === 2) meet();
          await met;
        }
        // Even code that swallows the deadlock can't go on outside of its transaction.
        await bump(trx, to).catch(() => {
          swallowed++;
        });
      });
    };
    await Promise.all([one(first, second), one(second, first)]);
  };
  for (let i = 0; i < 5; i++) await pair('a', 'b');
  t.equal(swallowed, 5, 'each pair met in a deadlock');
  t.ok(runs >= 15);
  t.same(await db.selectFrom('things').select(['id', 'count']).orderBy('id').execute(), [
    { id: 'a', count: 10 },
    { id: 'b', count: 10 },
  ]);
});

t.test('one connection of MySQL serves any number of transactions', mysqlOnly, async (t) => {
  const { db, transaction } = await open(t, await createMysqlDatabase(t), { poolSize: 1 });
  await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      transaction(
        async (trx) =>
          void (await trx
            .insertInto('things')
            .values(thing(`t${i}`))
            .execute()),
      ),
    ),
  );
  t.equal((await db.selectFrom('things').select('id').execute()).length, 50);
});

t.test('a session of MySQL is read committed, strict, UTC and utf8mb4', mysqlOnly, async (t) => {
  const { db } = await open(t, await createMysqlDatabase(t));
  const { rows } = await sql<Record<string, string>>`show session variables where variable_name in
    ('tx_isolation', 'transaction_isolation', 'time_zone', 'sql_mode', 'character_set_client', 'collation_connection')`.execute(
    db,
  );
  const session = Object.fromEntries(rows.map((row) => [row.Variable_name, row.Value]));
  t.equal(session.tx_isolation ?? session.transaction_isolation, 'READ-COMMITTED');
  t.equal(session.time_zone, '+00:00');
  t.match(session.sql_mode, /STRICT_ALL_TABLES/);
  t.equal(session.character_set_client, 'utf8mb4');
  t.equal(session.collation_connection, 'utf8mb4_bin');
});
