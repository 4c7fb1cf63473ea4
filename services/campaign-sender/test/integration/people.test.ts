import type { JobToAdd } from '@switchyard/jobs';
import { createSqliteDatabase, eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { type Stage, startStage } from '../helper.ts';

type Event = { eventId: string; sequence: number; contact: Record<string, unknown>; kind: string };

async function eventsOf(stage: Stage, count: number): Promise<Event[]> {
  return await until(
    async () => {
      const jobs = (await stage.queued('flows')).filter(({ name }) => name === 'handle-event');
      return (
        jobs.length >= count &&
        jobs.map(({ payload }) => payload as Event).toSorted((a, b) => a.sequence - b.sequence)
      );
    },
    { what: `${count} events for flows` },
  );
}

const message = (eventId: string, payload: object): JobToAdd => ({
  queue: 'inbound',
  name: 'receive-message',
  payload: {
    merchantId: 'default',
    eventId,
    phoneNumberId: '100000000000001',
    message: { id: `wamid.${eventId}`, type: 'text', text: { body: 'hello' } },
    occurredAtMs: Date.now(),
    receivedAtMs: Date.now(),
    ...payload,
  },
});

void eachDatabase(
  t,
  'twenty messages of a new person at once are one contact with twenty events in a row',
  async (t, database) => {
    const stage = await startStage(t, database);
    for (let index = 0; index < 20; index += 1) {
      // Twice each, under another job id: only the event's own key is left to stop the repeat.
      const job = message(`evt_${index}`, {
        profile: { name: 'Ana', waId: '15551234000', userId: 'US.1', username: 'ana' },
        message: { id: `wamid.${index}`, from: '15551234000', type: 'text', text: { body: `${index}` } },
      });
      await Promise.all([
        stage.ingress.add(job),
        stage.ingress.add({ ...job, options: { jobId: `again_${index}` } } as JobToAdd),
      ]);
    }
    const events = await eventsOf(stage, 20);
    t.strictSame(
      events.map(({ sequence }) => sequence),
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    t.equal(new Set(events.map(({ contact }) => contact.id)).size, 1);
    t.match(events[0]!.contact, {
      address: '+15551234000',
      userId: 'US.1',
      username: 'ana',
      name: 'Ana',
      optedOut: false,
    });
    const contacts = await stage.call('GET', '/api/v1/contacts');
    t.equal(contacts.body.data.items.length, 1);
    const one = await stage.call('GET', `/api/v1/contacts/${contacts.body.data.items[0].id}`);
    t.strictSame(one.body.data.identifiers.map(({ kind }: { kind: string }) => kind).toSorted(), [
      'phone',
      'user_id',
      'username',
    ]);
  },
);

void eachDatabase(t, 'opting out wins, is told, and can be taken back by the person', async (t, database) => {
  const stage = await startStage(t, database);
  const from = '15551234001';
  await stage.ingress.add(
    message('evt_stop', { message: { id: 'a', from, type: 'text', text: { body: ' Stop! ' } } }),
  );
  const [stop] = await eventsOf(stage, 1);
  t.equal(stop!.contact.optedOut, true, 'the event still goes, and says so');
  await until(async () =>
    (await stage.queued('webhooks')).some(({ payload }) =>
      (payload.events as { type: string }[]).some(({ type }) => type === 'contact.opted_out'),
    ),
  );
  await stage.ingress.add(
    message('evt_start', { message: { id: 'b', from, type: 'text', text: { body: 'START' } } }),
  );
  const events = await eventsOf(stage, 2);
  t.equal(events[1]!.contact.optedOut, false);
});

t.test('a person without a phone number is found by his user id, also after it has changed', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  const from_user_id = 'US.100';
  await stage.ingress.add(
    message('evt_1', { message: { id: 'a', from_user_id, type: 'text', text: { body: 'x' } } }),
  );
  const [first] = await eventsOf(stage, 1);
  t.match(first!.contact, { address: 'US.100', userId: 'US.100' });
  await stage.ingress.add({
    queue: 'receipts',
    name: 'apply-preferences',
    payload: {
      merchantId: 'default',
      eventId: 'evt_changed',
      field: 'user_id_update',
      value: [{ user_id: { previous: 'US.100', current: 'US.200' } }],
      occurredAtMs: 1,
      receivedAtMs: 1,
    },
  });
  await until(
    async () => (await stage.call('GET', '/api/v1/contacts?address=US.200')).body.data.items.length === 1,
  );
  await stage.ingress.add(
    message('evt_2', { message: { id: 'b', from_user_id: 'US.200', type: 'text', text: { body: 'x' } } }),
  );
  const events = await eventsOf(stage, 2);
  t.equal(events[1]!.contact.id, first!.contact.id);
  t.equal(events[1]!.contact.address, 'US.200');
});

t.test("a shop's event reaches its person, and is kept where nobody is known", async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  const contactId = await stage.greet('15551234002');
  const event = (eventId: string, body: string): JobToAdd => ({
    queue: 'inbound',
    name: 'receive-shopify-event',
    payload: {
      merchantId: 'default',
      eventId,
      shopDomain: 'shop.example',
      topic: 'orders/create',
      webhookId: eventId,
      receivedAtMs: 1,
      body,
    },
  });
  await stage.ingress.add(
    event('evt_known', '{"id":820982911946154508,"customer":{"phone":"+1 555 123 4002"}}'),
  );
  await stage.ingress.add(event('evt_unknown', '{"customer":{"email":"nobody@example.com"}}'));
  await stage.ingress.add(event('evt_broken', 'not JSON'));
  const found = (await eventsOf(stage, 2)).find(({ kind }) => kind === 'shopify');
  t.match(found, { contact: { id: contactId }, sequence: 2, body: /820982911946154508/ });
  const { db } = stage.service.database;
  await until(async () => (await db.selectFrom('unmatched_events').selectAll().execute()).length === 2);
});

t.test('what a flow learned is applied once, and another merchant sees nothing of it', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  const contactId = await stage.greet('15551234003');
  const change = { merchantId: 'default', contactId };
  const tag: JobToAdd = {
    queue: 'contacts',
    name: 'tag-contact',
    payload: { ...change, effectId: 'e1', add: ['vip'] },
  };
  await stage.ingress.add(tag);
  const contact = () => stage.call('GET', `/api/v1/contacts/${contactId}`).then(({ body }) => body.data);
  await until(async () => (await contact()).tags.includes('vip'));
  await stage.ingress.add({
    queue: 'contacts',
    name: 'tag-contact',
    payload: { ...change, effectId: 'e2', remove: ['vip'] },
  });
  await until(async () => !(await contact()).tags.includes('vip'));
  await stage.ingress.add({ ...tag, options: { jobId: 'again' } } as JobToAdd);
  await stage.ingress.add({
    queue: 'contacts',
    name: 'set-attributes',
    payload: { ...change, effectId: 'e3', attributes: { city: 'Berlin', gone: null } },
  });
  for (const [effectId, granted, decidedAtMs] of [
    ['e4', true, 20],
    ['e5', false, 10],
  ] as const)
    await stage.ingress.add({
      queue: 'contacts',
      name: 'set-consent',
      payload: { ...change, effectId, purpose: 'marketing', granted, source: 'form', decidedAtMs },
    });
  await until(
    async () =>
      (await stage.service.database.db.selectFrom('contact_consents').selectAll().execute()).length === 1,
  );
  await stage.ingress.add({
    queue: 'contacts',
    name: 'opt-out',
    payload: { ...change, effectId: 'e6', source: 'flow', decidedAtMs: 1 },
  });
  await until(async () => (await contact()).optedOut);
  const { tags, attributes, consents } = await contact();
  t.strictSame({ tags, attributes }, { tags: [], attributes: { city: 'Berlin' } });
  t.match(consents, [{ purpose: 'marketing', granted: true }], 'the later decision counts');
  await stage.service.database.db.updateTable('contacts').set({ merchantId: 'other' }).execute();
  t.equal((await stage.call('GET', `/api/v1/contacts/${contactId}`)).status, 404);
});
