import { eachDatabase } from '@switchyard/test-kit';
import fc from 'fast-check';
import t from 'tap';
import { insertIgnore, upsert } from '../src/index.ts';
import { open, type ThingsTable, thing } from './helper.ts';

const row = fc.record(
  {
    merchantId: fc.constantFrom('m', 'n'),
    id: fc.constantFrom('a', 'A', 'ä', 'b', '1', 'c\\', "d'"),
    value: fc.option(fc.string({ unit: 'binary', maxLength: 5 }), { nil: null }),
    count: fc.integer({ min: -5, max: 5 }),
  },
  { noNullPrototype: true },
);
const command = fc.record({
  kind: fc.constantFrom('ignore', 'upsert', 'upsert-count'),
  rows: fc.array(row, { maxLength: 12 }),
});
const keyOf = ({ merchantId, id }: ThingsTable) => `${merchantId}/${id}`;

await eachDatabase(
  t,
  'insertIgnore and upsert do what a map does, and insertIgnore counts exactly',
  async (t, target) => {
    const { db, dialect } = await open(t, target);
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 8 }), async (commands) => {
        await db.deleteFrom('things').execute();
        const model = new Map<string, ThingsTable>();
        for (const { kind, rows } of commands) {
          let inserted = 0;
          for (const each of rows) {
            const known = model.get(keyOf(each));
            if (!known) {
              inserted++;
              model.set(keyOf(each), each);
            } else if (kind === 'upsert') model.set(keyOf(each), each);
            else if (kind === 'upsert-count') model.set(keyOf(each), { ...known, count: each.count });
          }
          if (kind === 'ignore') {
            const counted = await insertIgnore(db, dialect, 'things', rows, ['merchantId', 'id']);
            if (counted !== inserted) throw new Error(`counted ${counted}, inserted ${inserted}`);
          } else
            await upsert(
              db,
              dialect,
              'things',
              rows,
              ['merchantId', 'id'],
              kind === 'upsert' ? ['value', 'count'] : ['count'],
            );
        }
        const stored = await db.selectFrom('things').selectAll().execute();
        const bySorted = (rows: ThingsTable[]) => rows.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
        t.strictSame(bySorted(stored), bySorted([...model.values()]));
      }),
      { numRuns: 60 },
    );
  },
);

await eachDatabase(t, 'ten thousand rows go in chunks and count exactly', async (t, target) => {
  const { db, dialect, transaction } = await open(t, target);
  const rows = Array.from({ length: 10_000 }, (_, i) =>
    thing(`r${i}`, 'x'.repeat(i % 100 === 0 ? 50_000 : 10), i),
  );
  const insert = () => transaction((trx) => insertIgnore(trx, dialect, 'things', rows, ['merchantId', 'id']));
  await db.insertInto('things').values(rows.slice(5, 10)).execute();
  t.equal(await insert(), 9995);
  t.equal(await insert(), 0);
  t.equal(await insertIgnore(db, dialect, 'things', [], ['id']), 0);
});

await eachDatabase(
  t,
  'rows of different shapes, and values that do not fit, are refused',
  async (t, target) => {
    const { db, dialect } = await open(t, target);
    const { value: _, ...lacking } = thing('b');
    const rows = [thing('a'), { ...lacking, other: 1 } as unknown as ThingsTable];
    await t.rejects(insertIgnore(db, dialect, 'things', rows, ['id']), TypeError);
    const wrong = thing('c', null, null as unknown as number);
    await t.rejects(
      insertIgnore(db, dialect, 'things', [wrong], ['merchantId', 'id']),
      'null in a column that must not be',
    );
  },
);
