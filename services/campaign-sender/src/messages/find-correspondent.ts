import type { Identifier } from '../contacts/address.ts';
import { identifierKey } from '../contacts/contact-store.ts';
import { createBatcher } from '../database/create-batcher.ts';
import { padKeys } from '../database/pad-keys.ts';
import type { Executor } from '../database/scope.ts';

/** Someone who has written to the merchant, and what decides whether a message may go there. */
export interface Correspondent {
  contactId: string;
  phone: string | null;
  optedOut: boolean;
  marketingOptedOut: boolean;
  /** End of the 24-hour window by number written to. */
  windows: Map<string, number>;
}

/** Finds whoever has an address and has written. */
export type FindCorrespondent = (
  merchantId: string,
  address: Identifier,
) => Promise<Correspondent | undefined>;

const FOUND_AT_ONCE = 200;
/** Jobs come one by one; a few milliseconds make a batch of them. */
const FOUND_EVERY_MS = 3;

/** Makes the finder; what is asked for at the same time shares a statement. */
export function createFindCorrespondent(db: Executor): FindCorrespondent {
  const batch = createBatcher<{ merchantId: string; address: Identifier }, Correspondent | undefined>({
    maxItems: FOUND_AT_ONCE,
    betweenMs: FOUND_EVERY_MS,
    async run(wanted) {
      const found = new Map<string, Map<string, Correspondent>>();
      for (const [merchantId, items] of Map.groupBy(wanted, (each) => each.merchantId)) {
        const addresses = items.map(({ address }) => address);
        found.set(merchantId, await findCorrespondents(db, merchantId, addresses));
      }
      return wanted.map(({ merchantId, address }) => found.get(merchantId)?.get(identifierKey(address)));
    },
  });
  return (merchantId, address) => batch.submit({ merchantId, address });
}

async function findCorrespondents(
  db: Executor,
  merchantId: string,
  addresses: readonly Identifier[],
): Promise<Map<string, Correspondent>> {
  const rows = await db
    .selectFrom('contact_identifiers as i')
    .innerJoin('contacts as c', 'c.id', 'i.contactId')
    // Only who has written has a conversation.
    .innerJoin('conversations as v', 'v.contactId', 'c.id')
    .select(['i.kind', 'i.value', 'c.id as contactId', 'c.phone', 'c.optedOut', 'c.marketingOptedOut'])
    .select(['v.senderId', 'v.windowExpiresAtMs'])
    .where('i.merchantId', '=', merchantId)
    .where('i.kind', 'in', [...new Set(addresses.map(({ kind }) => kind))])
    .where('i.value', 'in', padKeys([...new Set(addresses.map(({ value }) => value))]))
    .execute();
  const found = new Map<string, Correspondent>();
  for (const row of rows) {
    const key = identifierKey(row);
    let person = found.get(key);
    if (!person) {
      person = {
        contactId: row.contactId,
        phone: row.phone,
        optedOut: row.optedOut === 1,
        marketingOptedOut: row.marketingOptedOut === 1,
        windows: new Map(),
      };
      found.set(key, person);
    }
    person.windows.set(row.senderId, row.windowExpiresAtMs);
  }
  return found;
}
