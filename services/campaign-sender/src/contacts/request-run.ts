import { type JobPayload, toJobId } from '@switchyard/jobs';
import type { Store } from '../database/scope.ts';
import { addressInvalid } from '../errors.ts';
import type { FirstTime } from '../inbound/receive-messages.ts';
import { parseAddress } from './address.ts';
import { inPeopleScope, type PeopleScope } from './contact-book.ts';
import { takeSnapshot } from './contact-snapshot.ts';
import type { ContactRow } from './contact-store.ts';
import { meetContacts } from './meet-contacts.ts';

type RequestRun = JobPayload<'contacts', 'request-run'>;

/** Contacts of one page, when a run is asked for by tag. */
const PAGE = 200;

/**
 * Asks flows to start a run for a contact, or for everybody with a tag. Each job does one page and, with the same transaction,
 * asks for the next: a crash repeats nothing and loses nothing. Who wants no messages is left out of a page.
 *
 * @returns how many runs were asked for. @throws ADDRESS_INVALID where `to` is no address.
 */
export async function requestRun(
  store: Store,
  firstTime: FirstTime,
  payload: RequestRun,
): Promise<{ started: number }> {
  const { merchantId, contactId, to, tag, startId, afterContactId } = payload;
  const jobKey = toJobId('request-run', merchantId, startId, afterContactId ?? '');
  return await inPeopleScope(store, async (scope) => {
    if (!(await firstTime(scope.trx, jobKey))) return { started: 0 };
    if (contactId === undefined && to === undefined && tag !== undefined)
      return { started: await startPage(scope, payload, tag) };
    const contact =
      contactId === undefined
        ? await meet(scope, store, merchantId, to)
        : (await scope.people.lock(merchantId, [contactId])).get(contactId);
    if (!contact) return { started: 0 };
    const windows = await findWindows(scope, [contact.id], payload.senderId);
    start(scope, payload, contact, payload.startId, windows);
    return { started: 1 };
  });
}

async function meet(
  scope: PeopleScope,
  store: Store,
  merchantId: string,
  to: string | undefined,
): Promise<ContactRow | undefined> {
  const address = parseAddress(to ?? '');
  if (!address)
    throw addressInvalid('to must be a phone number in international form, or a business-scoped user id', {
      details: { field: 'to' },
    });
  const encounter = { merchantId, identifiers: [address], source: 'custom', mayMake: true } as const;
  const [contact] = await meetContacts(scope, store.dialect, [encounter], store.now());
  return contact;
}

async function startPage(scope: PeopleScope, payload: RequestRun, tag: string): Promise<number> {
  const { trx, enqueue } = scope;
  const { merchantId, startId, afterContactId } = payload;
  const contacts = await trx
    .selectFrom('contact_tags as t')
    .innerJoin('contacts as c', 'c.id', 't.contactId')
    .selectAll('c')
    .where('t.merchantId', '=', merchantId)
    .where('t.tag', '=', tag)
    .where('t.contactId', '>', afterContactId ?? '')
    .orderBy('t.contactId')
    .limit(PAGE)
    .execute();
  const wanted = contacts.filter(({ optedOut }) => optedOut === 0);
  const windows = await findWindows(
    scope,
    wanted.map(({ id }) => id),
    payload.senderId,
  );
  for (const contact of wanted) start(scope, payload, contact, `${startId}_${contact.id}`, windows);
  const last = contacts.at(-1);
  if (contacts.length === PAGE && last)
    enqueue({
      queue: 'contacts',
      name: 'request-run',
      payload: { ...payload, afterContactId: last.id },
      meta: { merchantId },
    });
  return wanted.length;
}

/** The latest end of a window of each contact: with the number the run is for, where it names one. */
async function findWindows(
  { trx }: PeopleScope,
  contactIds: readonly string[],
  senderId: string | undefined,
): Promise<Map<string, number>> {
  if (contactIds.length === 0) return new Map();
  let query = trx
    .selectFrom('conversations')
    .select(['contactId', (eb) => eb.fn.max('windowExpiresAtMs').as('expiresAtMs')])
    .where('contactId', 'in', contactIds)
    .groupBy('contactId');
  if (senderId !== undefined) query = query.where('senderId', '=', senderId);
  const rows = await query.execute();
  return new Map(rows.map(({ contactId, expiresAtMs }) => [contactId, Number(expiresAtMs)]));
}

function start(
  { enqueue }: PeopleScope,
  { merchantId, flowId, senderId, input }: RequestRun,
  contact: ContactRow,
  startId: string,
  windows: ReadonlyMap<string, number>,
): void {
  enqueue({
    queue: 'flows',
    name: 'start-run',
    payload: {
      merchantId,
      startId,
      flowId,
      contact: takeSnapshot(contact, windows.get(contact.id)),
      ...(senderId === undefined ? {} : { senderId }),
      ...(input === undefined ? {} : { input }),
    },
    meta: { merchantId },
  });
}
