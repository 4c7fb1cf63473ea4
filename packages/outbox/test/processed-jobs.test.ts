import { eachDatabase } from '@switchyard/test-kit';
import fc from 'fast-check';
import t from 'tap';
import { createProcessedJobs } from '../src/index.ts';
import { open } from './helper.ts';

await eachDatabase(t, 'a job has its effect once, however many try at once', async (t, target) => {
  const database = await open(t, target);
  const processed = createProcessedJobs({ database });
  const claims = await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      database.transaction((trx) => processed.firstTime(trx, `j${i % 10}`)),
    ),
  );
  t.equal(claims.filter(Boolean).length, 10);
});

await eachDatabase(t, 'a transaction that fails gives its claims back', async (t, target) => {
  const database = await open(t, target);
  const processed = createProcessedJobs({ database });
  const failed = database.transaction(async (trx) => {
    await processed.firstTime(trx, 'a');
    throw new Error('no');
  });
  await t.rejects(failed, /no/);
  t.equal(await database.transaction((trx) => processed.firstTime(trx, 'a')), true);
});

await eachDatabase(t, 'of many, exactly the new ones are named', async (t, target) => {
  const database = await open(t, target);
  const processed = createProcessedJobs({ database });
  const seen = new Set<string>();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 40 }), async (numbers) => {
      const ids = numbers.map((number) => `${Math.floor(run / 10)}-${number}`);
      run++;
      const fresh = await database.transaction((trx) => processed.firstTimeMany(trx, ids));
      const expected = new Set(ids.filter((id) => !seen.has(id)));
      for (const id of ids) seen.add(id);
      t.strictSame([...fresh].sort(), [...expected].sort());
    }),
    { numRuns: 40 },
  );
});

await eachDatabase(t, 'concurrent batches that overlap share out the ids', async (t, target) => {
  const database = await open(t, target);
  const processed = createProcessedJobs({ database });
  const batches = Array.from({ length: 8 }, (_, i) =>
    Array.from({ length: 300 }, (_, j) => `o${i * 100 + j}`),
  );
  const fresh = await Promise.all(
    batches.map((ids) => database.transaction((trx) => processed.firstTimeMany(trx, ids.toReversed()))),
  );
  const all = fresh.flatMap((ids) => [...ids]);
  t.equal(all.length, 1000);
  t.equal(new Set(all).size, 1000);
});

await eachDatabase(t, 'ids are kept for the retention and purged after it', async (t, target) => {
  const database = await open(t, target);
  const processed = createProcessedJobs({ database });
  await database.transaction((trx) =>
    processed.firstTimeMany(
      trx,
      Array.from({ length: 5000 }, (_, i) => `p${i}`),
    ),
  );
  t.equal(await processed.purge(), 0);
  const eightDaysAgo = Date.now() - 8 * 24 * 3_600_000;
  await database.db
    .updateTable('processed_jobs')
    .set({ processedAtMs: eightDaysAgo - 1000 })
    .where('jobId', '!=', 'p7')
    .execute();
  t.equal(await processed.purge(), 4999);
  t.equal(await database.transaction((trx) => processed.firstTime(trx, 'p7')), false);
  t.equal(await database.transaction((trx) => processed.firstTime(trx, 'p8')), true);
});
