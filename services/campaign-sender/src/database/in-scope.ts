import { isUniqueViolation } from '@switchyard/database';
import type { Runtime } from '@switchyard/runtime';
import type { EventSubscriptions } from '../subscriptions/event-subscriptions.ts';
import { gatherEvents } from '../subscriptions/gather-events.ts';
import type { InScope, Scope } from './scope.ts';
import type { Tables } from './tables.ts';

const UNIQUE_RETRIES = 3;

/**
 * Transactions with the outbox. Two processes that meet the same new person at the same time collide on a unique key: the second
 * looks again and finds him. What the merchant's endpoints are to hear of goes out in one batch, or not at all where nobody listens.
 */
export function createInScope(
  outbox: Pick<Runtime<Tables>['outbox'], 'transaction'>,
  subscriptions: Pick<EventSubscriptions, 'wants'>,
): InScope {
  return async <T>(work: (scope: Scope) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await outbox.transaction(async (trx, enqueue) => {
          const gathered = gatherEvents(enqueue, subscriptions);
          const result = await work({ trx, enqueue: gathered.enqueue });
          gathered.flush();
          return result;
        });
      } catch (error) {
        if (attempt >= UNIQUE_RETRIES || !isUniqueViolation(error)) throw error;
      }
    }
  };
}
