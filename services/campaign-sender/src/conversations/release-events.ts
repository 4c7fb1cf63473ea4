import type { JobToAdd } from '@switchyard/jobs';
import type { HeldEvent, PeopleScope } from '../contacts/contact-book.ts';
import type { ContactRow } from '../contacts/contact-store.ts';
import type { InboundMediaTable } from '../database/people-tables.ts';
import { activeHandler } from './handler.ts';

type Media = Pick<InboundMediaTable, 'state' | 'path' | 'mimeType' | 'bytes' | 'failureCode'>;

/** Said of a file that had not come when its event had to go. */
export const MEDIA_LATE = 'MEDIA_LATE';

const AT_ONCE = 200;

/**
 * Lets a contact's events go, the first of the line first, up to one that still waits for its file. An event whose file has come
 * takes it along; one whose time is over goes without.
 *
 * @param contact locked in the book. @returns how many went.
 */
export async function releaseEvents(scope: PeopleScope, contact: ContactRow, nowMs: number): Promise<number> {
  let released = 0;
  while (contact.heldEvents > 0) {
    const more = await releasePage(scope, contact, nowMs);
    released += more;
    if (more < AT_ONCE) break;
  }
  return released;
}

async function releasePage(
  { trx, people, enqueue }: PeopleScope,
  contact: ContactRow,
  nowMs: number,
): Promise<number> {
  const rows = await trx
    .selectFrom('held_events as h')
    .leftJoin('inbound_media as m', 'm.id', 'h.mediaId')
    .select(['h.sequence', 'h.payload', 'h.mediaId', 'h.waitUntilMs'])
    .select(['m.state', 'm.path', 'm.mimeType', 'm.bytes', 'm.failureCode'])
    .where('h.contactId', '=', contact.id)
    .orderBy('h.sequence')
    .limit(AT_ONCE)
    .execute();
  let last: number | undefined;
  let released = 0;
  for (const { sequence, payload, mediaId, waitUntilMs, ...media } of rows) {
    if (mediaId !== null && media.state === 'pending' && waitUntilMs > nowMs) break;
    enqueue(complete(JSON.parse(payload) as HeldEvent, mediaId === null ? undefined : media, contact, nowMs));
    last = sequence;
    released += 1;
  }
  if (last === undefined) return 0;
  await trx
    .deleteFrom('held_events')
    .where('contactId', '=', contact.id)
    .where('sequence', '<=', last)
    .execute();
  contact.heldEvents -= released;
  people.touch(contact);
  return released;
}

/** The event as it goes: with its file, and with what a flow must not miss of what happened meanwhile. */
function complete(
  { payload, meta }: HeldEvent,
  media: { [K in keyof Media]: Media[K] | null } | undefined,
  contact: ContactRow,
  nowMs: number,
): JobToAdd {
  const { content } = payload;
  return {
    queue: 'flows',
    name: 'handle-event',
    payload: {
      ...payload,
      contact: {
        ...payload.contact,
        optedOut: contact.optedOut === 1,
        ...(contact.marketingOptedOut === 1 ? { marketingOptedOut: true } : {}),
      },
      handler: activeHandler(contact, nowMs),
      ...(content && media ? { content: { ...content, ...describe(media) } } : {}),
    },
    meta: { ...meta, merchantId: contact.merchantId },
  };
}

function describe({ state, path, mimeType, bytes, failureCode }: { [K in keyof Media]: Media[K] | null }) {
  if (state !== 'stored' || path === null)
    return { mediaProblem: state === 'pending' ? MEDIA_LATE : (failureCode ?? 'MEDIA_GONE') };
  return {
    media: {
      path,
      ...(mimeType === null ? {} : { mimeType }),
      ...(bytes === null ? {} : { bytes }),
    },
  };
}
