import { CompiledQuery, type Insertable, type Kysely } from 'kysely';
import type { DialectName } from './dialects.ts';
import { manyTimes } from './many-times.ts';
import { quote } from './quote.ts';

/** MySQL takes 65,535 parameters; beyond some hundred rows no database gets faster. */
const rowsMost = 500;
const parametersMost = 30_000;
/** Well below max_allowed_packet (16 MB in MariaDB), four bytes to a character. */
const charactersMost = 2_000_000;

type Row = Readonly<Record<string, unknown>>;

/**
 * Inserts rows and skips those that collide with a row that exists, or with an earlier one of the same call.
 *
 * Any unique key counts, not only `keyColumns`: MySQL can't tell. Rows must all have the same columns. More rows than one
 * statement takes go in several, which are one unit only within a transaction.
 *
 * @param keyColumns a unique key of the table.
 * @returns how many rows were really inserted.
 */
export async function insertIgnore<DB, T extends keyof DB & string>(
  executor: Kysely<DB>,
  dialect: DialectName,
  table: T,
  rows: readonly Insertable<DB[T]>[],
  keyColumns: readonly (keyof DB[T] & string)[],
): Promise<number> {
  const [key] = keyColumns;
  if (key === undefined) throw new TypeError('insertIgnore needs a key column');
  // MySQL's INSERT IGNORE would also swallow values that don't fit; setting a column to itself does nothing but skip.
  const ending =
    dialect === 'mysql'
      ? `on duplicate key update ${quote(key, dialect)} = ${quote(key, dialect)}`
      : 'on conflict do nothing';
  return write(executor, dialect, table, rows as readonly Row[], ending);
}

/**
 * Inserts rows, and where one exists sets `updateColumns` of it. Of two rows with the same key the later wins.
 *
 * For tables with one unique key: on another's collision MySQL updates that row, SQLite throws. Rows must all have the same
 * columns. More rows than one statement takes go in several, which are one unit only within a transaction.
 */
export async function upsert<DB, T extends keyof DB & string>(
  executor: Kysely<DB>,
  dialect: DialectName,
  table: T,
  rows: readonly Insertable<DB[T]>[],
  keyColumns: readonly (keyof DB[T] & string)[],
  updateColumns: readonly (keyof DB[T] & string)[],
): Promise<void> {
  if (updateColumns.length === 0) {
    await insertIgnore(executor, dialect, table, rows, keyColumns);
    return;
  }
  const set = updateColumns.map((column) => {
    const name = quote(column, dialect);
    return dialect === 'mysql' ? `${name} = values(${name})` : `${name} = excluded.${name}`;
  });
  const keys = keyColumns.map((column) => quote(column, dialect)).join(', ');
  const clause = dialect === 'mysql' ? 'on duplicate key update' : `on conflict (${keys}) do update set`;
  await write(executor, dialect, table, rows as readonly Row[], `${clause} ${set.join(', ')}`);
}

async function write<DB>(
  executor: Kysely<DB>,
  dialect: DialectName,
  table: string,
  rows: readonly Row[],
  ending: string,
): Promise<number> {
  const [first] = rows;
  if (first === undefined) return 0;
  const columns = Object.keys(first);
  const into = `insert into ${quote(table, dialect)} (${columns.map((name) => quote(name, dialect)).join(', ')}) values `;
  const tuple = `(${columns.map(() => '?').join(', ')})`;
  let written = 0;
  for (const chunk of chunksOf(rows, columns)) {
    // A statement per row is prepared once; one for forty rows would be parsed again for forty-one.
    const query =
      dialect === 'sqlite'
        ? manyTimes(`${into}${tuple} ${ending}`, chunk)
        : CompiledQuery.raw(`${into}${Array(chunk.length).fill(tuple).join(', ')} ${ending}`, chunk.flat());
    const { numAffectedRows } = await executor.executeQuery(query);
    written += Number(numAffectedRows ?? 0);
  }
  return written;
}

/** Divides the rows' values into what one statement takes. */
function* chunksOf(rows: readonly Row[], columns: readonly string[]): Generator<unknown[][]> {
  let chunk: unknown[][] = [];
  let characters = 0;
  for (const row of rows) {
    if (Object.keys(row).length !== columns.length)
      throw new TypeError('rows written together must have the same columns');
    const values = columns.map((column) => {
      if (!(column in row)) throw new TypeError(`a row lacks the column ${column} that the first has`);
      return row[column];
    });
    const size = values.reduce<number>(
      (sum, value) => sum + (typeof value === 'string' ? value.length : 8),
      0,
    );
    const isFull =
      chunk.length === rowsMost ||
      (chunk.length + 1) * columns.length > parametersMost ||
      characters + size > charactersMost;
    if (isFull && chunk.length > 0) {
      yield chunk;
      chunk = [];
      characters = 0;
    }
    chunk.push(values);
    characters += size;
  }
  yield chunk;
}
