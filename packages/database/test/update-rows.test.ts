import { eachDatabase } from '@switchyard/test-kit';
import fc from 'fast-check';
import t from 'tap';
import { updateRows } from '../src/index.ts';
import { open, type ThingsTable, thing } from './helper.ts';

const ids = ['a', 'b', 'c', 'd', "e'", 'f\\'];
const value = fc.option(fc.constantFrom('x', 'y', 'z'), { nil: null });
const rows = fc.uniqueArray(
  fc.record({ id: fc.constantFrom(...ids), value, count: fc.integer({ min: 0, max: 2 }) }),
  { selector: ({ id }) => id },
);
const updates = fc.uniqueArray(
  fc.record({
    key: fc.constantFrom(...ids),
    value,
    count: fc.integer({ min: 0, max: 2 }),
    match: fc.integer({ min: 0, max: 2 }),
  }),
  { selector: ({ key }) => key },
);

await eachDatabase(
  t,
  'updateRows does what a loop over the rows does, and counts exactly',
  async (t, target) => {
    const { db, dialect } = await open(t, target);
    await fc.assert(
      fc.asyncProperty(rows, updates, fc.subarray([0, 1, 2]), async (before, changes, among) => {
        await db.deleteFrom('things').execute();
        const model = new Map(before.map((row) => [row.id, thing(row.id, row.value, row.count)]));
        if (model.size > 0)
          await db
            .insertInto('things')
            .values([...model.values()])
            .execute();
        let expected = 0;
        for (const { key, match, ...set } of changes) {
          const row = model.get(key);
          if (!row || row.count !== match) continue;
          if (among.length > 0 && !among.includes(row.count)) continue;
          expected += 1;
          model.set(key, { ...row, value: set.value, count: set.count });
        }
        const counted = await updateRows(
          db,
          dialect,
          'things',
          'id',
          changes.map(({ key, match, ...set }) => ({
            key,
            set: { value: set.value, count: set.count },
            match: { count: match },
          })),
          among.length > 0 ? { count: among } : {},
        );
        if (counted !== expected) throw new Error(`counted ${counted}, expected ${expected}`);
        const stored = await db.selectFrom('things').selectAll().execute();
        const sorted = (list: ThingsTable[]) => list.toSorted((a, b) => (a.id < b.id ? -1 : 1));
        t.strictSame(sorted(stored), sorted([...model.values()]));
      }),
      { numRuns: 100 },
    );
  },
);

await eachDatabase(
  t,
  'updateRows is one unit, within a transaction and outside of one',
  async (t, target) => {
    const { db, dialect, transaction } = await open(t, target);
    await db
      .insertInto('things')
      .values([thing('a'), thing('b')])
      .execute();
    const updates = [
      { key: 'a', set: { count: 7 } },
      { key: 'b', set: { count: null as unknown as number } },
    ];
    await t.rejects(updateRows(db, dialect, 'things', 'id', updates), 'null in a column that must not be');
    await t.rejects(transaction((trx) => updateRows(trx, dialect, 'things', 'id', updates)));
    const counts = await db.selectFrom('things').select('count').execute();
    t.strictSame(
      counts.map(({ count }) => count),
      [0, 0],
    );
    t.equal(await updateRows(db, dialect, 'things', 'id', [{ key: 'a', set: { count: 7 } }]), 1);
    t.equal(await updateRows(db, dialect, 'things', 'id', []), 0);
  },
);
