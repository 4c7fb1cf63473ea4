import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely, Transaction } from 'kysely';
import { databaseBusy, transactionNested } from './errors.ts';
import { isRetryable } from './map-mysql-error.ts';
import type { TransactionScope } from './transaction-scope.ts';

const tries = 10;
const firstPauseMs = 5;
const longestPauseMs = 250;

/** Runs a transaction, again after a deadlock; see `Database.transaction`. */
export async function retryingTransaction<DB, T>(
  db: Kysely<DB>,
  scope: TransactionScope,
  work: (trx: Transaction<DB>) => Promise<T>,
): Promise<T> {
  if (scope.isInside())
    throw transactionNested('transaction() within transaction(): pass the outer one on instead');
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute((trx) => scope.run(() => work(trx)));
    } catch (error) {
      if (!isRetryable(error)) throw error;
      if (attempt === tries)
        throw databaseBusy(`gave up after ${tries} deadlocks or waits for locks`, {
          cause: error,
          delayMs: 1000,
        });
    }
    // Those who met once must not meet again: half of the pause is chance.
    await sleep(Math.min(longestPauseMs, firstPauseMs * 2 ** attempt) * (0.5 + Math.random() / 2));
  }
}
