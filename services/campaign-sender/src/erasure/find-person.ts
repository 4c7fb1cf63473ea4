import type { JobPayload } from '@switchyard/jobs';
import { type Identifier, parsePhone } from '../contacts/address.ts';
import { findOwners } from '../contacts/contact-store.ts';
import type { Executor } from '../database/scope.ts';

type Asked = JobPayload<'contacts', 'erase-person'>['identifiers'];

/** Who is meant, in this service's terms. */
export interface Person {
  /** Those that contacts are found by. */
  readonly identifiers: Identifier[];
  /** Contacts of any of them, also where they lead to several. */
  readonly contactIds: string[];
}

/** Finds the contacts of a person. Identifiers that contacts are not found by, such as email, are left to others. */
export async function findPerson(executor: Executor, merchantId: string, asked: Asked): Promise<Person> {
  const identifiers = asked.flatMap(({ kind, value }): Identifier[] => {
    if (kind === 'phone') {
      const phone = parsePhone(value);
      return phone === undefined ? [] : [{ kind, value: phone }];
    }
    if (kind === 'user_id' || kind === 'parent_user_id' || kind === 'username') return [{ kind, value }];
    return [];
  });
  const owners = await findOwners(executor, merchantId, identifiers);
  const found = identifiers.flatMap(({ kind, value }) => owners.get(`${kind}:${value}`) ?? []);
  return { identifiers, contactIds: [...new Set(found)] };
}
