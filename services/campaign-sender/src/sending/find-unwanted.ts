import { padKeys } from '../database/pad-keys.ts';
import type { Executor } from '../database/scope.ts';
import type { Candidate } from '../messages/message-candidate.ts';
import { decideBeforeCall, type Unsent } from './decide-before-call.ts';

/**
 * Finds those that their recipients want no more: a message is read before it waits for its slot, and whoever opts out meanwhile is not
 * called. What is committed after this comes after the call.
 */
export async function findUnwanted(
  trx: Executor,
  candidates: readonly Candidate[],
  nowMs: number,
): Promise<Map<Candidate, Unsent>> {
  const contactIds = [...new Set(candidates.flatMap(({ contactId }) => contactId ?? []))];
  if (contactIds.length === 0) return new Map();
  const rows = await trx
    .selectFrom('contacts')
    .select(['id', 'optedOut', 'marketingOptedOut'])
    .where('id', 'in', padKeys(contactIds))
    .where((eb) => eb.or([eb('optedOut', '=', 1), eb('marketingOptedOut', '=', 1)]))
    .execute();
  if (rows.length === 0) return new Map();
  const people = new Map(rows.map((row) => [row.id, row]));
  const ends = new Map<Candidate, Unsent>();
  for (const candidate of candidates) {
    const person = people.get(candidate.contactId ?? '');
    if (!person) continue;
    const decision = decideBeforeCall(
      {
        ...candidate,
        optedOut: person.optedOut === 1,
        marketingOptedOut: person.marketingOptedOut === 1,
      },
      nowMs,
    );
    if (decision.kind === 'settle') ends.set(candidate, decision);
  }
  return ends;
}
