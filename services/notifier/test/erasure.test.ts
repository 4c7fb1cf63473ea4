import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { startNotifier, startReceiver } from './helper.ts';

eachDatabase(t, 'deliveries that tell of an erased person go, others stay', async (t, database) => {
  const receiver = await startReceiver(t, () => ({ status: 204 }));
  const { runtime, call } = await startNotifier(t, database);
  await call('POST', '/api/v1/endpoints', { url: receiver.url, eventTypes: ['*'] });
  const event = (id: string, data: Record<string, unknown>) => ({
    id,
    type: 'message.received',
    occurredAtMs: 1,
    data,
  });
  await runtime.producer.add({
    queue: 'webhooks',
    name: 'publish-events',
    payload: {
      merchantId: 'default',
      batchId: 'b1',
      events: [
        event('e1', { contactId: 'con_gone' }),
        event('e2', { from: '+15551234567' }),
        event('e3', { contactId: 'con_gone2', from: '+155512345670' }),
      ],
    },
  });
  const rows = () => runtime.database.db.selectFrom('deliveries').select(['eventId', 'state']).execute();
  await until(async () => (await rows()).filter(({ state }) => state === 'delivered').length === 3, {
    what: 'all is delivered',
  });
  for (const [emailId, text] of [
    ['m1', 'Call +15551234567 back'],
    ['m2', 'Call +15551234568 back'],
  ] as const)
    await runtime.producer.add({
      queue: 'emails',
      name: 'send-email',
      payload: { merchantId: 'default', emailId, to: ['team@shop.example'], subject: 'A call', text },
    });
  const emails = () => runtime.database.db.selectFrom('emails').select('id').orderBy('id').execute();
  await until(async () => (await emails()).length === 2, { what: 'both emails are recorded' });
  const payload = { merchantId: 'default', about: 'con_gone' };
  await runtime.producer.queue('webhooks').add('publish-events', { v: 1, payload }, { jobId: 'bad' });
  const failed = async () => (await runtime.failedJobs.list()).items;
  await until(async () => (await failed()).length === 3, {
    what: 'it fails for good, as emails do that can’t go out',
  });
  await runtime.producer.add({
    queue: 'webhooks',
    name: 'erase-person',
    payload: {
      merchantId: 'default',
      erasureId: 'era_1',
      contactIds: ['con_gone'],
      identifiers: [{ kind: 'phone', value: '+15551234567' }],
    },
  });
  const [told] = await until(
    async () => {
      const jobs = await runtime.producer.queue('control').getJobs(['waiting']);
      const found = jobs.filter(({ name }) => name === 'acknowledge-erasure');
      return found.length > 0 ? found : undefined;
    },
    { what: 'the acknowledgement' },
  );
  t.match(told?.data.payload, { erasureId: 'era_1', owner: 'notifier', erasedRecords: 5 });
  t.match(await failed(), [{ jobId: /m2/ }]);
  t.match(await rows(), [{ eventId: 'e3' }]);
  t.strictSame(
    (await emails()).map(({ id }) => id),
    ['m2'],
  );
  t.equal((await runtime.database.db.selectFrom('deliveryAttempts').selectAll().execute()).length, 1);
});
