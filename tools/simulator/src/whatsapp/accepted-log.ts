import { BoundedMap } from '../bounded-map.ts';
import { createRing } from '../ring.ts';
import { hashText } from './identifiers.ts';
import type { SendRequest } from './validate-send.ts';

/** A message that the simulator accepted. */
export interface AcceptedMessage {
  /** 1 for the first message accepted since start or reset. */
  readonly sequence: number;
  readonly wamid: string;
  readonly atMs: number;
  readonly phoneNumberId: string;
  /** The recipient's phone, digits only; absent when it was addressed to a user id. */
  readonly to: string | undefined;
  readonly userId: string | undefined;
  readonly type: string;
  /** From `biz_opaque_callback_data`, by the pattern of the settings. */
  readonly messageId: string | undefined;
  readonly attempt: number | undefined;
  readonly opaque: string | undefined;
  /** The request as it came. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** The highest status so far. */
  status: 'accepted' | 'sent' | 'delivered' | 'read' | 'failed';
}

/** Something accepted more than once. */
export interface Repeat {
  readonly kind: 'message-id' | 'content';
  /** The message id, or the recipient's address for repeated content. */
  readonly key: string;
  /** How often it was accepted. */
  readonly count: number;
  /** The latest acceptances, the newest last; at most ten. */
  readonly wamids: readonly string[];
}

/** Totals over everything accepted, also what the ring has forgotten. */
export interface RepeatTotals {
  /** Acceptances beyond the first, by message id. */
  readonly byMessageId: number;
  /** Acceptances beyond the first, by recipient and content. */
  readonly byContent: number;
}

/** Remembers what was accepted, in bounded memory. */
export interface AcceptedLog {
  readonly total: number;
  add(message: AcceptedMessage, request: SendRequest): Repeat[];
  /** The kept messages, oldest first. @param filter by address, and by sequence (exclusive). */
  list(filter?: { to?: string; after?: number }): AcceptedMessage[];
  find(wamid: string): AcceptedMessage | undefined;
  repeats(): Repeat[];
  repeatTotals(): RepeatTotals;
  clear(): void;
}

type Mutable = { kind: Repeat['kind']; key: string; count: number; wamids: string[] };

/**
 * Creates an {@link AcceptedLog}.
 *
 * @param capacity messages kept whole.
 * @param keyCapacity message ids and contents remembered for finding repeats; older ones are forgotten.
 */
export function createAcceptedLog(capacity: number, keyCapacity: number): AcceptedLog {
  const ring = createRing<AcceptedMessage>(capacity);
  const messageIds = new BoundedMap<string, string>(keyCapacity);
  const contents = new BoundedMap<number, string>(keyCapacity);
  const repeats = new BoundedMap<string | number, Mutable>(10_000);
  const totals = { byMessageId: 0, byContent: 0 };

  function noteRepeat(
    kind: Repeat['kind'],
    mapKey: string | number,
    key: string,
    first: string,
    wamid: string,
  ) {
    const known = repeats.get(mapKey);
    const repeat = known ?? { kind, key, count: 1, wamids: [first] };
    repeat.count += 1;
    repeat.wamids.push(wamid);
    if (repeat.wamids.length > 10) repeat.wamids.shift();
    repeats.set(mapKey, repeat);
    return { ...repeat, wamids: [...repeat.wamids] };
  }

  return {
    get total() {
      return ring.total;
    },
    add(message, request) {
      ring.push(message);
      const found: Repeat[] = [];
      const { messageId, wamid } = message;
      if (messageId !== undefined) {
        const first = messageIds.get(messageId);
        if (first === undefined) messageIds.set(messageId, wamid);
        else {
          totals.byMessageId += 1;
          found.push(noteRepeat('message-id', messageId, messageId, first, wamid));
        }
      }
      const address = request.phone ?? request.userId ?? '';
      const hash = hashText(`${message.phoneNumberId}>${address}>${JSON.stringify(request.content)}`);
      const first = contents.get(hash);
      if (first === undefined) contents.set(hash, wamid);
      else {
        totals.byContent += 1;
        found.push(noteRepeat('content', hash, address, first, wamid));
      }
      return found;
    },
    list({ to, after } = {}) {
      const address = to?.replace(/^\+/, '');
      return ring
        .values()
        .filter(
          (message) =>
            (address === undefined || message.to === address || message.userId === address) &&
            (after === undefined || message.sequence > after),
        );
    },
    find: (wamid) => ring.findLast((message) => message.wamid === wamid),
    repeats: () => [...repeats.values()].map((repeat) => ({ ...repeat, wamids: [...repeat.wamids] })),
    repeatTotals: () => ({ ...totals }),
    clear() {
      ring.clear();
      messageIds.clear();
      contents.clear();
      repeats.clear();
      totals.byMessageId = 0;
      totals.byContent = 0;
    },
  };
}
