import type { JobPayload } from '@switchyard/jobs';
import { type Identifier, identifierKinds, parseIdentifier } from '../contacts/address.ts';
import { findOwners, identifierKey } from '../contacts/contact-store.ts';
import type { Executor } from '../database/scope.ts';

type Asked = JobPayload<'contacts', 'erase-person'>['identifiers'];

/** Who is meant, in this service's terms. */
export interface Person {
  /** Those that contacts are found by. */
  readonly identifiers: Identifier[];
  /** Contacts of any of them, also where they lead to several. */
  readonly contactIds: string[];
}

/** Finds the contacts of a person, by whatever identifiers they are known. Kinds that contacts are not found by are left to others. */
export async function findPerson(executor: Executor, merchantId: string, asked: Asked): Promise<Person> {
  const identifiers = asked.flatMap(({ kind, value }): Identifier[] => {
    const known = identifierKinds.find((each) => each === kind);
    const identifier = known && parseIdentifier(known, value);
    return identifier ? [identifier] : [];
  });
  const owners = await findOwners(executor, merchantId, identifiers);
  const found = identifiers.flatMap((each) => owners.get(identifierKey(each)) ?? []);
  return { identifiers, contactIds: [...new Set(found)] };
}
