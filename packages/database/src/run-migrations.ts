import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type { Connection } from 'mysql2';
import type { Logger } from 'pino';

/** Others wait for so long while one process migrates. */
const lockTimeoutSeconds = 600;

/**
 * Applies what is missing, in the order of the names.
 *
 * On SQLite all in one transaction. MySQL commits each statement by itself, so a migration that died half-way is run again
 * from its start: use `ensureIndex` and `ifNotExists()`.
 *
 * @throws the first migration's error.
 */
export async function runMigrations<DB>(
  db: Kysely<DB>,
  migrations: Record<string, Migration>,
  logger: Logger,
): Promise<void> {
  const { error, results } = await new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    // Packages bring migrations of their own, whose names may sort before what is applied.
    allowUnorderedMigrations: true,
  }).migrateToLatest();
  for (const { migrationName, status } of results ?? [])
    if (status === 'Success') logger.info({ migration: migrationName }, 'migration applied');
  if (error !== undefined) throw error;
}

/**
 * Runs `work` while no other process does for the same database: a lock of the server's, gone with the connection.
 *
 * @param connection used for the lock alone, and ended here.
 */
export async function withMysqlLock<T>(
  connection: Connection,
  database: string,
  work: () => Promise<T>,
): Promise<T> {
  const raw = connection.promise();
  // Names of locks are the whole server's and at most 64 characters long.
  const name = `switchyard_${createHash('sha256').update(database).digest('hex').slice(0, 40)}`;
  // Loss of the connection shows in the query that needs it.
  connection.on('error', () => {});
  try {
    const [rows] = await raw.query('select get_lock(?, ?) as held', [name, lockTimeoutSeconds]);
    if ((rows as { held: number | null }[])[0]?.held !== 1)
      throw new Error(`another process has been migrating ${database} for ${lockTimeoutSeconds} s`);
    return await work();
  } finally {
    connection.destroy();
  }
}
