import { numberUnknown, personMissing } from '../errors.ts';
import { buildInbound } from './build-inbound.ts';
import type { InboundInput } from './inbound-message.ts';
import type { MediaStore } from './media-store.ts';
import type { BusinessNumber, Numbers } from './numbers.ts';
import { contactJson, type People, type Person } from './people.ts';
import type { InboundMessage } from './simulator-event.ts';
import type { Update } from './update.ts';

/** A webhook change of any field, for what has no shorthand: template, quality and account updates, oddities. */
export interface ChangeInput {
  readonly field: string;
  readonly value: unknown;
  /** Whose account the entry names; the first number's when absent. */
  readonly phoneNumberId?: string;
}

/** Lets things happen at the people's end. */
export interface Injector {
  /**
   * Sends messages from people; those of one call share a webhook as far as the settings allow.
   *
   * @returns the message ids, in order.
   * @throws CodedError SIMULATOR_NUMBER_UNKNOWN, SIMULATOR_PERSON_MISSING; nothing was sent then.
   */
  inject(inputs: InboundInput | readonly InboundInput[]): string[];
  /** Sends changes as they are. @throws CodedError SIMULATOR_NUMBER_UNKNOWN */
  injectChanges(inputs: ChangeInput | readonly ChangeInput[]): void;
}

/** What an {@link Injector} needs. */
export interface InjectorOptions {
  numbers: Numbers;
  people: People;
  media: MediaStore;
  push: (update: Update) => void;
  onInbound: (inbound: Omit<InboundMessage, 'sequence' | 'atMs'>) => void;
}

/** Creates an {@link Injector}. */
export function createInjector({ numbers, people, media, push, onInbound }: InjectorOptions): Injector {
  function numberOf(id: string | undefined): BusinessNumber {
    const number = id === undefined ? numbers.first() : numbers.get(id);
    if (!number) throw numberUnknown('no business number has this id', { details: { phoneNumberId: id } });
    return number;
  }

  function personOf(input: InboundInput): Person {
    const phone = input.from?.replace(/\D/g, '') || undefined;
    if (phone === undefined && input.userId === undefined) {
      throw personMissing('an inbound message needs from or userId');
    }
    const known = people.find({ phone, userId: input.userId });
    const person = {
      phone,
      userId: input.userId ?? known.userId,
      name: input.name ?? known.name,
      username: input.username ?? known.username,
      parentUserId: input.parentUserId ?? known.parentUserId,
    };
    people.introduce(person);
    return person;
  }

  return {
    inject(inputs) {
      const list = Array.isArray(inputs) ? (inputs as readonly InboundInput[]) : [inputs as InboundInput];
      const checked = list.map((input) => ({
        input,
        number: numberOf(input.phoneNumberId),
        person: personOf(input),
      }));
      return checked.map(({ input, number, person }) => {
        const shown = input.hidePhone ? { ...person, phone: undefined } : person;
        const message = buildInbound(input, number, shown, media);
        onInbound({ phoneNumberId: number.id, from: person.phone, userId: person.userId, message });
        push({
          kind: 'messages',
          number,
          json: JSON.stringify(message),
          ...(input.withoutContact ? {} : { contact: { key: person.userId, json: contactJson(shown) } }),
          ...(input.valueErrors
            ? { errorJson: input.valueErrors.map((each) => JSON.stringify(each)).join(',') }
            : {}),
        });
        return message.id;
      });
    },
    injectChanges(inputs) {
      const list = Array.isArray(inputs) ? (inputs as readonly ChangeInput[]) : [inputs as ChangeInput];
      const checked = list.map((input) => ({ input, number: numberOf(input.phoneNumberId) }));
      for (const { input, number } of checked) {
        push({ kind: 'field', number, json: JSON.stringify({ field: input.field, value: input.value }) });
      }
    },
  };
}
