import { databaseAway, databaseBusy } from './errors.ts';

/** SQLite's primary result codes that say nothing about the query: BUSY and LOCKED; READONLY, IOERR, FULL, CANTOPEN. */
const busy = new Set([5, 6]);
const away = new Set([8, 10, 13, 14]);

/** Gives errors of the file or the disk their code; leaves the rest as it is. */
export function mapSqliteError(error: unknown): unknown {
  const { errcode, message } = error as { errcode?: number; message?: string };
  if (typeof errcode === 'number') {
    const primary = errcode & 0xff;
    if (busy.has(primary))
      return databaseBusy('the database file is locked by another program', { cause: error });
    if (away.has(primary)) return databaseAway('the database file is not usable now', { cause: error });
  }
  if (message === 'database is not open') return databaseAway('the database is closed', { cause: error });
  return error;
}
