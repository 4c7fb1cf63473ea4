import type { Executor } from '../database/scope.ts';

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
  if (senders.length === 0) return [];
  const ids = senders.map(({ id }) => id);
  await trx
    .updateTable('messages')
    .set({ nextAttemptAtMs: nowMs })
    .where('state', '=', 'queued')
    .where('senderId', 'in', ids)
    .where('nextAttemptAtMs', '>', nowMs)
    .where('type', '=', 'template')
    // Content is JSON as we wrote it. `_` stands for any letter here, which wakes a message too many at most.
    .where((eb) => eb.or(names.map((name) => eb('content', 'like', `%"name":${JSON.stringify(name)}%`))))
    .execute();
  return ids;
}
