import type { SelectQueryBuilder } from 'kysely';
import type { Executor } from '../database/scope.ts';
import { priorityOf } from '../messages/outgoing-message.ts';
import { lanes } from '../pacing/lanes.ts';

/** Of so many numbers one statement tells at most: three selects each, and no database takes endless unions. */
export const NUMBERS_PER_STATEMENT = 40;

/**
 * Asks for something of the queued messages of many numbers, number by number and lane by lane, so that an index leads each part to nothing
 * but what it returns.
 *
 * @param senderIds one at least, and {@link NUMBERS_PER_STATEMENT} at most. @param part makes the part of a number and lane.
 */
export function selectByLane<DB, TB extends keyof DB, O>(
  db: Executor,
  senderIds: readonly string[],
  part: (queued: ReturnType<typeof queuedOf>, senderId: string) => SelectQueryBuilder<DB, TB, O>,
): SelectQueryBuilder<DB, TB, O> {
  return senderIds
    .flatMap((senderId) => lanes.map((lane) => part(queuedOf(db, senderId, priorityOf(lane)), senderId)))
    .reduce((query, each) => query.unionAll(each));
}

function queuedOf(db: Executor, senderId: string, priority: number) {
  return db
    .selectFrom('messages')
    .where('state', '=', 'queued')
    .where('senderId', '=', senderId)
    .where('priority', '=', priority);
}
