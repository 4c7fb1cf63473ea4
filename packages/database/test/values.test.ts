import { eachDatabase } from '@switchyard/test-kit';
import { sql } from 'kysely';
import t from 'tap';
import { open, thing } from './helper.ts';

await eachDatabase(t, 'values mean the same on both databases', async (t, target) => {
  const { db } = await open(t, target);
  const text = '\'"\\\n\0 ü 漢 🎈 -- ; {}';
  await db
    .insertInto('things')
    .values([thing('a', text, Number.MAX_SAFE_INTEGER), thing('A', null, true as unknown as number)])
    .execute();
  const rows = await db.selectFrom('things').selectAll().orderBy('id', 'desc').execute();
  t.strictSame(
    rows,
    [thing('a', text, Number.MAX_SAFE_INTEGER), thing('A', null, 1)],
    'upper and lower case differ',
  );
  await db.updateTable('things').set({ count: 7 }).where('id', '=', 'a').execute();
  const sums = await sql<{
    n: number;
    total: number;
  }>`select count(*) as n, sum(count) as total from things`.execute(db);
  t.strictSame(sums.rows, [{ n: 2, total: 8 }]);
  await db.deleteFrom('things').where('id', '=', 'A').execute();
  const same = await db.updateTable('things').set({ count: 5 }).where('id', '=', 'a').executeTakeFirst();
  const again = await db.updateTable('things').set({ count: 5 }).where('id', '=', 'a').executeTakeFirst();
  t.same([same.numUpdatedRows, again.numUpdatedRows], [1n, 1n], 'an update counts matches, changed or not');
  for (const bad of [{}, [], Number.NaN, Number.POSITIVE_INFINITY])
    await t.rejects(sql`select ${bad} as x`.execute(db), TypeError);
  await t.rejects(db.selectFrom('things').selectAll().stream().next(), /page by key/);
});

await eachDatabase(t, 'a table that was changed is read as it is now', async (t, target) => {
  const { db } = await open(t, target);
  await db.insertInto('things').values(thing('a')).execute();
  const read = async () => (await db.selectFrom('things').selectAll().execute()) as object[];
  t.strictSame(await read(), [thing('a')]);
  await db.schema.alterTable('things').addColumn('note', 'varchar(10)').execute();
  t.strictSame(await read(), [{ ...thing('a'), note: null }]);
  await db.schema.alterTable('things').renameColumn('note', 'remark').execute();
  t.strictSame(await read(), [{ ...thing('a'), remark: null }]);
  await db.schema.alterTable('things').dropColumn('remark').execute();
  t.strictSame(await read(), [thing('a')]);
});
