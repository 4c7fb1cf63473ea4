import { type Kysely, type RawBuilder, sql } from 'kysely';
import { dialectOf } from './dialects.ts';

/** Column types that mean the same on both databases. */
export interface ColumnKinds {
  /** Up to 191 characters, compared byte by byte. Usable in keys. On MySQL trailing blanks don't count in comparisons. */
  readonly id: RawBuilder<string>;
  /** Up to `length` characters, compared byte by byte. SQLite does not enforce the length; MySQL refuses more. */
  text(length: number): RawBuilder<string>;
  /**
   * A word of up to `length` ASCII characters out of a few, such as a state. On MySQL it takes the same room whatever it says: a row that
   * grows does not fit into its full page, and moving it costs more than the change itself.
   */
  word(length: number): RawBuilder<string>;
  /** Text of any length (4 GB on MySQL); JSON too. Can't be in a key, nor have a default. */
  readonly longText: RawBuilder<string>;
  /** A whole number of 64 bits; beyond 2^53 it can't be read as a number. */
  readonly integer: RawBuilder<number>;
  /** Milliseconds since 1970, UTC. */
  readonly timestampMs: RawBuilder<number>;
  /** 0 or 1. */
  readonly flag: RawBuilder<number>;
  /** A float of 64 bits. */
  readonly real: RawBuilder<number>;
  /** A number that the database counts up, the primary key. */
  readonly sequence: RawBuilder<number>;
}

const sqlite: ColumnKinds = {
  id: sql`text`,
  text: () => sql`text`,
  word: () => sql`text`,
  longText: sql`text`,
  integer: sql`integer`,
  timestampMs: sql`integer`,
  flag: sql`integer`,
  real: sql`real`,
  sequence: sql`integer primary key autoincrement`,
};

// Named at each column: a database that someone else has created may have another default.
const binary = sql.raw('character set utf8mb4 collate utf8mb4_bin');
const mysql: ColumnKinds = {
  id: sql`varchar(191) ${binary}`,
  text: (length) => sql`varchar(${sql.lit(length)}) ${binary}`,
  word: (length) => sql`char(${sql.lit(length)}) ${binary}`,
  longText: sql`longtext ${binary}`,
  integer: sql`bigint`,
  timestampMs: sql`bigint`,
  flag: sql`tinyint`,
  real: sql`double`,
  sequence: sql`bigint auto_increment primary key`,
};

/**
 * The column types of a migration.
 *
 * @example
 * const column = columnKinds(db);
 * await db.schema.createTable('contacts').ifNotExists().addColumn('id', column.id, (c) => c.primaryKey()).execute();
 */
export function columnKinds(db: Pick<Kysely<unknown>, 'getExecutor'>): ColumnKinds {
  return dialectOf(db) === 'mysql' ? mysql : sqlite;
}
