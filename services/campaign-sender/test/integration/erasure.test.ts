import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { type Stage, startStage } from '../helper.ts';

const PHONE = '15551234567';
const OTHER = '15559999999';

/** Waits for the job that tells ingress. */
function told(stage: Stage, name: string): Promise<Record<string, unknown>> {
  return until(
    async () => {
      return (await stage.queued('control')).find((job) => job.name === name)?.payload;
    },
    { what: name },
  );
}

void eachDatabase(
  t,
  'a person’s data is exported, then erased everywhere; others’ stays',
  async (t, database) => {
    const stage = await startStage(t, database);
    const { service, ingress } = stage;
    const { db } = service.database;
    const contactId = await stage.greet(PHONE);
    const otherId = await stage.greet(OTHER);
    const shopEvent = (eventId: string, body: object) =>
      ingress.add({
        queue: 'inbound',
        name: 'receive-shopify-event',
        payload: {
          merchantId: 'default',
          eventId,
          shopDomain: 'a.myshopify.com',
          topic: 'carts/create',
          webhookId: eventId,
          receivedAtMs: 1,
          body: JSON.stringify(body),
        },
      });
    await shopEvent('evt_mine', { email: 'Ana@example.com' });
    await shopEvent('evt_other', { email: 'bo@example.com' });
    const unmatched = async () =>
      (await db.selectFrom('unmatched_events').select('id').execute()).map(({ id }) => id);
    await until(async () => (await unmatched()).length === 2, { what: 'both events are kept' });
    const queue = service.producer.queue('inbound');
    // Found by what the contact is known by, though nobody asked for that.
    await queue.add(
      'receive-message',
      { v: 1, payload: { merchantId: 'default', of: contactId } },
      { jobId: 'bad' },
    );
    await until(async () => (await service.failedJobs.list()).items.length === 1, {
      what: 'a job fails for good',
    });
    const names = async (id: string, jobs: Promise<{ data: unknown }[]>) =>
      JSON.stringify(await jobs).includes(id);
    t.ok(await names(PHONE, queue.getCompleted()), 'the queue remembers jobs that are done');
    const identifiers = [
      { kind: 'shopify_customer_id', value: '207119551' },
      { kind: 'phone', value: `+${PHONE}` },
      { kind: 'email', value: 'ana@example.com' },
    ];

    const payload = { merchantId: 'default', requestId: 'dre_1', identifiers };
    await ingress.add({ queue: 'contacts', name: 'export-person', payload });
    t.match(await told(stage, 'provide-person-data'), {
      requestId: 'dre_1',
      owner: 'campaign-sender',
      data: {
        contacts: [{ id: contactId }],
        messages: [{ direction: 'in', content: /hi 1/ }],
      },
    });

    await ingress.add({
      queue: 'contacts',
      name: 'erase-person',
      payload: { merchantId: 'default', erasureId: 'era_1', identifiers },
    });
    t.match(await told(stage, 'acknowledge-erasure'), {
      erasureId: 'era_1',
      owner: 'campaign-sender',
      erasedRecords: 4,
    });
    t.strictSame((await service.failedJobs.list()).items, []);
    t.notOk(await names(PHONE, queue.getJobs()), 'nor does the queue remember the person');
    t.ok(await names(OTHER, queue.getCompleted()), 'but others it does');
    for (const table of ['contact_identifiers', 'conversations', 'messages'] as const)
      t.match(
        await db.selectFrom(table).select('contactId').distinct().execute(),
        [{ contactId: otherId }],
        table,
      );
    t.match(await db.selectFrom('contacts').select('id').execute(), [{ id: otherId }]);
    t.strictSame(await unmatched(), ['evt_other']);
    const passedOn = async (queue: 'flows' | 'webhooks') =>
      (await stage.queued(queue)).find(({ name }) => name === 'erase-person')?.payload;
    t.match(await passedOn('flows'), { contacts: [{ id: contactId, phone: `+${PHONE}` }] });
    t.match(await passedOn('webhooks'), { contactIds: [contactId], identifiers });

    await ingress.add({
      queue: 'contacts',
      name: 'erase-shop',
      payload: { merchantId: 'default', erasureId: 'era_2', shopDomain: 'a.myshopify.com' },
    });
    await until(async () => (await unmatched()).length === 0, { what: 'the shop’s events are gone' });
    t.not(await stage.greet(PHONE), contactId, 'who writes again is a new contact');
  },
);
