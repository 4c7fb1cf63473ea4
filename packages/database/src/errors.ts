import { defineError } from '@switchyard/errors';

/** The database can't be reached, or can't work now (shutting down, disk full). What was under way may or may not have happened. */
export const databaseAway = defineError('DATABASE_AWAY', 503, 'later');

/** The database works, but others held what this needed for too long, tries included. Nothing was written. */
export const databaseBusy = defineError('DATABASE_BUSY', 503, 'later');

/** The lease was released, or ran out and someone else took it: whatever it guarded is theirs now. */
export const leaseLost = defineError('LEASE_LOST', 409, 'later');

/** A mistake in our code: `transaction()` was called within a transaction of the same database. */
export const transactionNested = defineError('TRANSACTION_NESTED', 500, 'never');

/**
 * A mistake in our code: within a transaction, a query went past it. With one connection (SQLite, a full pool) the two would wait
 * for each other for ever.
 */
export const queryOutsideTransaction = defineError('QUERY_OUTSIDE_TRANSACTION', 500, 'never');

/** A mistake in our code: SQL that MySQL 8.4 does not know, found on the MariaDB that stands in for it. */
export const sqlNotPortable = defineError('SQL_NOT_PORTABLE', 500, 'never');

/** A stored secret can't be opened: its key is not among the keys, or it was tampered with, or belongs to something else. */
export const secretUnreadable = defineError('SECRET_UNREADABLE', 500, 'never');
