import { type ColumnDefinitionBuilder, type Expression, type Kysely, sql } from 'kysely';
import { dialectOf } from './dialects.ts';

/**
 * Creates an index unless it exists, for migrations: MySQL has no `CREATE INDEX IF NOT EXISTS`, and a migration that died after
 * its table runs again.
 *
 * @param index.onlyWhereSet a column: on SQLite the index holds only rows where it is not null, and serves only queries that say so or
 * compare the column. MySQL has no such indexes, and indexes all rows.
 */
export async function ensureIndex(
  db: Kysely<unknown>,
  index: {
    name: string;
    table: string;
    columns: readonly string[];
    unique?: boolean;
    onlyWhereSet?: string;
  },
): Promise<void> {
  if (await hasMysqlIndex(db, index)) return;
  let builder = db.schema
    .createIndex(index.name)
    .on(index.table)
    .columns([...index.columns]);
  if (index.unique) builder = builder.unique();
  if (dialectOf(db) === 'sqlite') {
    builder = builder.ifNotExists();
    if (index.onlyWhereSet !== undefined)
      builder = builder.where(sql.ref(index.onlyWhereSet), 'is not', null);
  }
  await builder.execute();
}

/** Drops an index if it is there, for migrations that may run again. */
export async function dropIndex(db: Kysely<unknown>, index: { name: string; table: string }): Promise<void> {
  if (dialectOf(db) === 'sqlite') await db.schema.dropIndex(index.name).ifExists().execute();
  else if (await hasMysqlIndex(db, index)) await db.schema.dropIndex(index.name).on(index.table).execute();
}

async function hasMysqlIndex(
  db: Kysely<unknown>,
  { name, table }: { name: string; table: string },
): Promise<boolean> {
  if (dialectOf(db) !== 'mysql') return false;
  const { rows } = await sql`select 1 from information_schema.statistics
    where table_schema = database() and table_name = ${table} and index_name = ${name} limit 1`.execute(db);
  return rows.length > 0;
}

/** Adds a column unless it exists, for migrations that may run again. */
export async function ensureColumn(
  db: Kysely<unknown>,
  table: string,
  name: string,
  kind: Expression<unknown>,
  define: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder = (column) => column,
): Promise<void> {
  const { rows } =
    dialectOf(db) === 'mysql'
      ? await sql`select 1 from information_schema.columns
          where table_schema = database() and table_name = ${table} and column_name = ${name} limit 1`.execute(
          db,
        )
      : await sql`select 1 from pragma_table_info(${table}) where name = ${name}`.execute(db);
  if (rows.length === 0) await db.schema.alterTable(table).addColumn(name, kind, define).execute();
}
