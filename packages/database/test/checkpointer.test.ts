import { closeSync, copyFileSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createSqliteDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { insertIgnore } from '../src/index.ts';
import { open, thing } from './helper.ts';

const PAGE_BYTES = 4096;
const WAIT = { timeoutMs: 60_000, intervalMs: 1 };

/** What the file holds without its log. */
function countWithoutLog(dataDir: string): number {
  const copy = join(dataDir, 'copy.sqlite');
  copyFileSync(join(dataDir, 'test-service.sqlite'), copy);
  const database = new DatabaseSync(copy);
  try {
    return Number(
      (database.prepare('select count(*) as count from things').get() as { count: number }).count,
    );
  } finally {
    database.close();
  }
}

/** How often the log has started over: the checkpoint sequence number in its header. */
function readLogNumber(dataDir: string): number {
  const file = openSync(join(dataDir, 'test-service.sqlite-wal'), 'r');
  try {
    const header = Buffer.alloc(32);
    readSync(file, header);
    return header.readUInt32BE(12);
  } finally {
    closeSync(file);
  }
}

t.test(
  'what a busy process commits is soon in the file itself, though no commit has copied it',
  async (t) => {
    const place = await createSqliteDatabase(t);
    const { db, transaction, close } = await open(t, place);
    let written = 0;
    await until(async () => {
      // Never so many that SQLite would have a commit copy them.
      const isShort = statSync(join(place.dataDir, 'test-service.sqlite-wal')).size < 800 * PAGE_BYTES;
      for (let each = 0; each < 20 && isShort; each += 1)
        await transaction((trx) =>
          insertIgnore(trx, 'sqlite', 'things', [thing(`t${written++}`)], ['merchantId', 'id']),
        );
      try {
        return countWithoutLog(place.dataDir) > 0;
      } catch {
        // Copied while the thread was writing it.
        return false;
      }
    }, WAIT);
    const { count } = await db
      .selectFrom('things')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    t.equal(Number(count), written, 'and everything can be read');
    await close();
    t.equal(countWithoutLog(place.dataDir), written, 'a process that ends leaves all of it in the file');
  },
);

t.test('the log of a process that writes without a pause starts over', async (t) => {
  const place = await createSqliteDatabase(t);
  const { transaction } = await open(t, place);
  const text = 'x'.repeat(40_000);
  let written = 0;
  const write = async () => {
    written += 1;
    const row = thing(`t${written % 100}`, `${written}${text}`);
    await transaction(async (trx) => {
      await trx.deleteFrom('things').where('id', '=', row.id).execute();
      await insertIgnore(trx, 'sqlite', 'things', [row], ['merchantId', 'id']);
    });
  };
  await write();
  const first = readLogNumber(place.dataDir);
  await until(async () => {
    for (let each = 0; each < 30; each += 1) await write();
    return readLogNumber(place.dataDir) > first;
  }, WAIT);
  t.pass('it did');
});
