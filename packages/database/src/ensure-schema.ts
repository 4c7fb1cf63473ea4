import { type ColumnDefinitionBuilder, type Expression, type Kysely, sql } from 'kysely';
import { dialectOf } from './dialects.ts';

/**
 * Creates an index unless it exists, for migrations: MySQL has no `CREATE INDEX IF NOT EXISTS`, and a migration that died after
 * its table runs again.
 */
export async function ensureIndex(
  db: Kysely<unknown>,
  index: { name: string; table: string; columns: readonly string[]; unique?: boolean },
): Promise<void> {
  if (dialectOf(db) === 'mysql') {
    const { rows } = await sql`select 1 from information_schema.statistics
      where table_schema = database() and table_name = ${index.table} and index_name = ${index.name} limit 1`.execute(
      db,
    );
    if (rows.length > 0) return;
  }
  let builder = db.schema
    .createIndex(index.name)
    .on(index.table)
    .columns([...index.columns]);
  if (index.unique) builder = builder.unique();
  if (dialectOf(db) === 'sqlite') builder = builder.ifNotExists();
  await builder.execute();
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
