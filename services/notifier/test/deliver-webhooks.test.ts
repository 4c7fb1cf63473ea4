import { eachDatabase, until } from '@switchyard/test-kit';
import { Webhook } from 'standardwebhooks';
import t from 'tap';
import { startNotifier, startReceiver } from './helper.ts';

const event = (id: string, type = 'message.received') => ({
  id,
  type,
  occurredAtMs: Date.UTC(2026, 10, 20),
  data: { messageId: `msg_${id}`, text: 'hello' },
});

interface Created {
  endpoint: { id: string };
  secret: string;
}

eachDatabase(
  t,
  'an event reaches the endpoint that wants it, signed, once, however often the batch comes',
  async (t, database) => {
    const receiver = await startReceiver(t, () => ({ status: 204 }));
    const { runtime, call } = await startNotifier(t, database);
    const { endpoint, secret } = (
      await call('POST', '/api/v1/endpoints', { url: receiver.url, eventTypes: ['message.*'] })
    ).data as Created;
    for (const batchId of ['b1', 'b2', 'b3']) {
      await runtime.producer.add({
        queue: 'webhooks',
        name: 'publish-events',
        payload: { merchantId: 'default', batchId, events: [event('e1'), event('e2', 'contact.opted_out')] },
      });
    }
    const delivered = await until(
      async () => {
        const { data } = await call('GET', '/api/v1/deliveries?state=delivered');
        const { deliveries } = data as { deliveries: { id: string; eventId: string; endpointId: string }[] };
        return deliveries.length > 0 ? deliveries : undefined;
      },
      { what: 'the delivery' },
    );
    t.equal(delivered.length, 1, 'the type that nobody wants is not delivered');
    t.match(delivered[0], { eventId: 'e1', endpointId: endpoint.id });
    const [request] = receiver.received;
    const verified = new Webhook(secret).verify(request!.body, request!.headers as Record<string, string>);
    t.strictSame(verified, {
      type: 'message.received',
      timestamp: '2026-11-20T00:00:00.000Z',
      data: { messageId: 'msg_e1', text: 'hello' },
    });
    await until(
      async () =>
        (await runtime.producer.queue('webhooks').getJobCounts('wait', 'active', 'delayed')).wait === 0,
      { what: 'the queue to be empty' },
    );
    t.equal(receiver.received.length, 1);
  },
);

eachDatabase(
  t,
  'a failing endpoint gets every attempt under one id, then the job is kept and can be retried by hand',
  async (t, database) => {
    let healthy = false;
    const receiver = await startReceiver(t, () => ({ status: healthy ? 200 : 500 }));
    const { runtime, call } = await startNotifier(t, database);
    await call('POST', '/api/v1/endpoints', { url: receiver.url });
    await runtime.producer.add({
      queue: 'webhooks',
      name: 'publish-events',
      payload: { merchantId: 'default', batchId: 'b1', events: [event('e1')] },
    });
    await receiver.receivedCount(3);
    const failed = await until(
      async () => {
        const { data } = await call('GET', '/api/v1/failed-jobs?queue=webhooks');
        return (data as { failedJobs: { id: string; code: string; attemptsMade: number }[] }).failedJobs[0];
      },
      { what: 'the failed job' },
    );
    t.match(failed, { code: 'DELIVERY_FAILED', attemptsMade: 3 });
    t.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1);
    const { data } = await call('GET', '/api/v1/deliveries?state=failed');
    const [delivery] = (data as { deliveries: { id: string; attempts: number; lastStatus: number }[] })
      .deliveries;
    t.match(delivery, { attempts: 3, lastStatus: 500 });

    healthy = true;
    t.equal((await call('POST', `/api/v1/deliveries/${delivery!.id}/retry`)).status, 202);
    await receiver.receivedCount(4);
    await until(
      async () => {
        const answer = await call('GET', `/api/v1/deliveries/${delivery!.id}`);
        return (answer.data as { delivery: { state: string } }).delivery.state === 'delivered';
      },
      { what: 'the delivery to arrive' },
    );
    t.equal(
      (await call('POST', `/api/v1/deliveries/${delivery!.id}/retry`)).error.code,
      'DELIVERY_NOT_FAILED',
    );
  },
);

eachDatabase(t, 'an endpoint that answers 410 is turned off and gets nothing more', async (t, database) => {
  const receiver = await startReceiver(t, () => ({ status: 410 }));
  const { runtime, call } = await startNotifier(t, database);
  const { endpoint } = (await call('POST', '/api/v1/endpoints', { url: receiver.url })).data as Created;
  const publish = (id: string) =>
    runtime.producer.add({
      queue: 'webhooks',
      name: 'publish-events',
      payload: { merchantId: 'default', batchId: `b-${id}`, events: [event(id)] },
    });
  await publish('e1');
  await until(
    async () => {
      const answer = await call('GET', `/api/v1/endpoints/${endpoint.id}`);
      return (answer.data as { state: string }).state === 'disabled';
    },
    { what: 'the endpoint to be turned off' },
  );
  await publish('e2');
  await until(
    async () => {
      const counts = await runtime.producer
        .queue('webhooks')
        .getJobCounts('wait', 'active', 'delayed', 'completed');
      return counts.completed === 3 && counts.wait === 0;
    },
    { what: 'both batches to be done' },
  );
  t.equal(receiver.received.length, 1);
});

t.test('during a rotation both secrets verify a delivery', async (t) => {
  const { createSqliteDatabase } = await import('@switchyard/test-kit');
  const receiver = await startReceiver(t, () => ({ status: 200 }));
  const { runtime, call } = await startNotifier(t, await createSqliteDatabase(t));
  const first = (await call('POST', '/api/v1/endpoints', { url: receiver.url })).data as Created;
  const second = (await call('POST', `/api/v1/endpoints/${first.endpoint.id}/rotate-secret`)).data as Created;
  await runtime.producer.add({
    queue: 'webhooks',
    name: 'publish-events',
    payload: { merchantId: 'default', batchId: 'b1', events: [event('e1')] },
  });
  await receiver.receivedCount(1);
  const [request] = receiver.received;
  for (const secret of [first.secret, second.secret]) {
    t.ok(new Webhook(secret).verify(request!.body, request!.headers as Record<string, string>));
  }
});

eachDatabase(
  t,
  'what a merchant wants is announced at each change, when an endpoint is gone, and again at every start',
  async (t, database) => {
    const receiver = await startReceiver(t, () => ({ status: 410 }));
    const { runtime, call } = await startNotifier(t, database);
    await call('POST', '/api/v1/endpoints', { url: receiver.url, eventTypes: ['message.*'] });
    const announced = async (from = runtime) => {
      const jobs = await from.producer.queue('control').getJobs(['wait', 'prioritized']);
      return jobs
        .map(({ data }) => data.payload as { version: number; eventTypes: string[] })
        .toSorted((a, b) => a.version - b.version);
    };
    await until(async () => (await announced()).length === 1, { what: 'the first announcement' });
    t.match(await announced(), [{ merchantId: 'default', version: 1, eventTypes: ['message.*'] }]);
    await runtime.producer.add({
      queue: 'webhooks',
      name: 'publish-events',
      payload: { merchantId: 'default', batchId: 'b', events: [event('e1')] },
    });
    await until(async () => (await announced()).length === 2, { what: 'the endpoint is gone' });
    t.match((await announced())[1], { version: 2, eventTypes: [] });
    await runtime.close();

    const { runtime: again } = await startNotifier(t, database);
    await until(async () => (await announced(again)).length === 1, { what: 'the announcement of the start' });
    t.match(await announced(again), [{ merchantId: 'default', version: 3, eventTypes: [] }]);
  },
);
