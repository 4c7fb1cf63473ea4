import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestDatabase } from '@switchyard/test-kit';
import { createConnection } from 'mysql2/promise';

type Row = Record<string, string | number | bigint | null>;

/** Just enough of a database to copy rows, whatever their columns are. */
interface Sql {
  query(sql: string, values?: Row[string][]): Promise<Row[]>;
  close(): Promise<void>;
}

const rowsAtOnce = 500;

async function openSql({ url, dataDir }: TestDatabase): Promise<Sql> {
  if (url === undefined) {
    const database = new DatabaseSync(join(dataDir, 'flow-engine.sqlite'));
    return {
      query: async (sql, values = []) =>
        database.prepare(sql).all(...(values as (string | number | null)[])) as Row[],
      close: async () => database.close(),
    };
  }
  const connection = await createConnection({
    uri: url.replace(/\/(\w+)$/, '/$1_flow_engine'),
    supportBigNumbers: true,
  });
  return {
    query: async (sql, values = []) => (await connection.query(sql, values))[0] as Row[],
    close: () => connection.end(),
  };
}

/**
 * Copies a waiting run so many times, each for a contact of its own: what would have come about had so many people started it.
 * The engine must be stopped where the database is SQLite.
 *
 * @param runId the run to copy.
 * @param numbers of the copies, so that later ones don't collide with earlier ones.
 */
export async function copyRun(
  database: TestDatabase,
  runId: string,
  numbers: { from: number; to: number },
): Promise<void> {
  const sql = await openSql(database);
  try {
    const [run] = await sql.query('select * from runs where id = ?', [runId]);
    if (!run) throw new Error(`there is no run ${runId}`);
    const contactId = String(run.contactId);
    const journal = await sql.query('select * from runJournal where runId = ?', [runId]);
    const conversations = await sql.query('select * from conversations where contactId = ?', [contactId]);
    const copies: [string, Row[]][] = [
      ['runs', [run]],
      ['runJournal', journal],
      ['conversations', conversations],
    ];
    await sql.query('begin');
    for (const [table, rows] of copies)
      for (let at = numbers.from; at < numbers.to; at += rowsAtOnce) {
        const batch = rows.flatMap((row) =>
          Array.from({ length: Math.min(rowsAtOnce, numbers.to - at) }, (_, index) =>
            renamed(row, { [runId]: `run_seed_${at + index}`, [contactId]: `con_seed_${at + index}` }),
          ),
        );
        await insert(sql, table, batch);
      }
    await sql.query('commit');
  } finally {
    await sql.close();
  }
}

/** Makes every seeded run due at this moment. */
export async function makeDue(database: TestDatabase, atMs: number): Promise<void> {
  const sql = await openSql(database);
  try {
    await sql.query("update runs set dueAtMs = ? where id like 'run_seed_%'", [atMs]);
  } finally {
    await sql.close();
  }
}

function renamed(row: Row, names: Record<string, string>): Row {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => {
      if (typeof value !== 'string') return [column, value];
      let text = value;
      for (const [from, to] of Object.entries(names)) text = text.replaceAll(from, to);
      return [column, text];
    }),
  );
}

async function insert(sql: Sql, table: string, rows: readonly Row[]): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const columns = Object.keys(first);
  const tuple = `(${columns.map(() => '?').join(', ')})`;
  await sql.query(
    `insert into ${table} (${columns.join(', ')}) values ${rows.map(() => tuple).join(', ')}`,
    rows.flatMap((row) => columns.map((column) => row[column] ?? null)),
  );
}
