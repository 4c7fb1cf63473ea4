import { BoundedMap } from '../bounded-map.ts';
import { userIdOf } from './identifiers.ts';

/** Someone with WhatsApp on their phone. */
export interface Person {
  /** Digits, no plus. Absent when the person shows only a business-scoped user id. */
  readonly phone: string | undefined;
  readonly userId: string;
  readonly name: string;
  readonly username: string | undefined;
  readonly parentUserId: string | undefined;
}

/** Who is known by phone number or by user id. */
export interface People {
  /** The person at an address, as last introduced, else one made up from the address: always the same. */
  find(address: { phone?: string | undefined; userId?: string | undefined }): Person;
  /** Remembers how a person introduced themselves. */
  introduce(person: Person): void;
  clear(): void;
}

/** Creates {@link People}, which remembers the last `limit` introductions. */
export function createPeople(limit = 50_000): People {
  const introduced = new BoundedMap<string, Person>(limit);
  return {
    find({ phone, userId }) {
      const known = introduced.get(phone ?? userId ?? '');
      if (known) return known;
      return {
        phone,
        userId: userId ?? userIdOf(phone ?? ''),
        name: phone ? `Customer ${phone.slice(-4)}` : 'Customer',
        username: undefined,
        parentUserId: undefined,
      };
    },
    introduce(person) {
      introduced.set(person.phone ?? person.userId, person);
    },
    clear: () => introduced.clear(),
  };
}

/** `contacts[]` entry of a webhook, as JSON. */
export function contactJson(person: Person): string {
  return JSON.stringify({
    profile: { name: person.name, ...(person.username === undefined ? {} : { username: person.username }) },
    ...(person.phone === undefined ? {} : { wa_id: person.phone }),
    user_id: person.userId,
    ...(person.parentUserId === undefined ? {} : { parent_user_id: person.parentUserId }),
  });
}
