import { accessSync, constants, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ConfigError } from '@switchyard/config';

/** An open SQLite file that no other process of ours can open. */
export interface OpenSqlite {
  database: DatabaseSync;
  /** Of the file. */
  path: string;
  /** Lets other processes in. Call it last. */
  unlock(): void;
}

/**
 * Opens `<dataDir>/<service>.sqlite`, made if absent, for this process alone.
 *
 * The lock is an exclusive transaction on a second, empty SQLite file: a lock of the kernel's, so that it ends with the process
 * however that ends, and works wherever SQLite does.
 *
 * @throws ConfigError naming DATA_DIR when the folder can't be used or another process has the file.
 */
export function openSqlite(dataDir: string, service: string): OpenSqlite {
  const folder = resolve(dataDir);
  try {
    // Contacts and messages are nobody else's business.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new ConfigError('DATA_DIR', `${folder} can't be used (${(error as NodeJS.ErrnoException).code})`);
  }
  const lock = takeLock(folder, service);
  try {
    const path = join(folder, `${service}.sqlite`);
    const database = new DatabaseSync(path, {
      timeout: 5000,
      enableForeignKeyConstraints: true,
    });
    database.exec('pragma journal_mode = wal');
    // With WAL, NORMAL can lose the last transactions to a power cut, never to the death of a process, and never corrupts.
    database.exec('pragma synchronous = normal');
    database.exec('pragma cache_size = -16384');
    database.exec('pragma temp_store = memory');
    return { database, path, unlock: () => lock.close() };
  } catch (error) {
    lock.close();
    throw new ConfigError(
      'DATA_DIR',
      `${folder}: ${service}.sqlite can't be opened (${(error as Error).message})`,
    );
  }
}

function takeLock(folder: string, service: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(join(folder, `${service}.lock`), { timeout: 0 });
    lock.exec('begin exclusive');
    return lock;
  } catch (error) {
    lock?.close();
    if (((error as { errcode?: number }).errcode ?? 0) === 5)
      throw new ConfigError(
        'DATA_DIR',
        `${folder} is in use: another process has ${service}.sqlite open; one process per SQLite file (set DATABASE_URL to run several)`,
      );
    throw new ConfigError(
      'DATA_DIR',
      `${folder}: ${service}.lock can't be locked (${(error as Error).message})`,
    );
  }
}
