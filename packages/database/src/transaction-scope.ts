import { AsyncLocalStorage } from 'node:async_hooks';
import { queryOutsideTransaction } from './errors.ts';

/** Knows whether the code that asks runs within an open transaction of one database. */
export interface TransactionScope {
  /** Runs the body of a transaction; the scope ends with the returned promise, also for what it left running. */
  run<T>(work: () => Promise<T>): Promise<T>;
  isInside(): boolean;
  /** @throws QUERY_OUTSIDE_TRANSACTION within an open transaction: whoever waits for another connection there may wait for itself. */
  assertOutside(): void;
}

/** Makes the scope of one database. */
export function createTransactionScope(): TransactionScope {
  const storage = new AsyncLocalStorage<{ isOpen: boolean }>();
  const isInside = () => storage.getStore()?.isOpen === true;
  return {
    async run(work) {
      const store = { isOpen: true };
      try {
        return await storage.run(store, work);
      } finally {
        store.isOpen = false;
      }
    },
    isInside,
    assertOutside() {
      if (isInside())
        throw queryOutsideTransaction(
          'a query within transaction() must use the transaction it was given, not the database',
        );
    },
  };
}
