import type { Executor } from '../database/scope.ts';
import { priorityOf } from '../messages/outgoing-message.ts';
import { lanes } from '../pacing/lanes.ts';

const HELD_AT_ONCE = 500;
const NUMBERS_PER_STATEMENT = 40;

/**
 * Has messages looked at now that wait for templates of an account. Part of the transaction that releases them, so that neither is
 * without the other. One that waits for something else as well finds that out and waits again.
 *
 * @param account an unknown one is the empty one. @returns the numbers whose messages were woken.
 */
export async function wakeHeld(
  trx: Executor,
  { merchantId, wabaId }: { merchantId: string; wabaId: string | null },
  names: readonly string[],
  nowMs: number,
): Promise<string[]> {
  if (names.length === 0) return [];
  const senders = await trx
    .selectFrom('senders')
    .select('id')
    .where('merchantId', '=', merchantId)
    .where((eb) => (wabaId ? eb('wabaId', '=', wabaId) : eb('wabaId', 'is', null)))
    .execute();
  const ids = senders.map(({ id }) => id);
  for (let start = 0; start < ids.length; start += NUMBERS_PER_STATEMENT)
    for (;;) {
      const held = await findHeld(trx, ids.slice(start, start + NUMBERS_PER_STATEMENT), names, nowMs);
      if (held.length === 0) break;
      const { numUpdatedRows } = await trx
        .updateTable('messages')
        .set({ nextAttemptAtMs: nowMs })
        .where('id', 'in', held)
        .where('state', '=', 'queued')
        .where('nextAttemptAtMs', '>', nowMs)
        .executeTakeFirst();
      // Those that others have changed meanwhile are read again as they were.
      if (held.length < HELD_AT_ONCE || Number(numUpdatedRows) === 0) break;
    }
  return ids;
}

/**
 * Finds messages of these templates that wait for later. Read apart from the change, so that no database locks a number's
 * whole backlog.
 */
async function findHeld(
  trx: Executor,
  senderIds: readonly string[],
  names: readonly string[],
  nowMs: number,
): Promise<string[]> {
  const rows = await trx
    .selectFrom('messages')
    .select('id')
    .where('state', '=', 'queued')
    .where('senderId', 'in', senderIds)
    // All there are: named, so that an index leads to those that are due later.
    .where('priority', 'in', lanes.map(priorityOf))
    .where('nextAttemptAtMs', '>', nowMs)
    .where('type', '=', 'template')
    // Content is JSON as we wrote it. `_` stands for any letter here, which wakes a message too many at most.
    .where((eb) => eb.or(names.map((name) => eb('content', 'like', `%"name":${JSON.stringify(name)}%`))))
    .limit(HELD_AT_ONCE)
    .execute();
  return rows.map(({ id }) => id);
}
