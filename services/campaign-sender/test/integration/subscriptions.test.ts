import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { createEventSubscriptions } from '../../src/subscriptions/event-subscriptions.ts';
import { type Stage, startStage } from '../helper.ts';

async function events(stage: Stage) {
  const jobs = await stage.queued('webhooks');
  return jobs.flatMap(({ payload }) => payload.events as { id: string; type: string }[]);
}

void eachDatabase(
  t,
  "merchants hear only of the events that they want, and of none until their endpoints' wishes are known",
  async (t, database) => {
    const stage = await startStage(t, database, { subscriptions: null });
    await stage.greet('15551230001');
    t.strictSame(await events(stage), []);

    await stage.subscribe(['contact.*']);
    stage.simulator.inject({ from: '15551230001', text: 'STOP' });
    await until(async () => (await events(stage)).length > 0, { what: 'the opt-out is published' });
    t.strictSame(
      (await events(stage)).map(({ type }) => type),
      ['contact.opted_out'],
    );

    await stage.subscribe(['message.received']);
    await stage.greet('15551230002');
    await until(async () => (await events(stage)).length > 1, { what: 'the message is published' });
    t.same((await events(stage)).map(({ type }) => type).toSorted(), [
      'contact.opted_out',
      'message.received',
    ]);
  },
);

void eachDatabase(
  t,
  'another process learns of an announcement, and an older one that comes late changes nothing',
  async (t, database) => {
    const stage = await startStage(t, database, { subscriptions: null });
    const { db, dialect } = stage.service.database;
    const here = createEventSubscriptions(db, dialect);
    const there = createEventSubscriptions(db, dialect);
    await there.refresh();
    await here.set({ merchantId: 'm', version: 2, eventTypes: ['message.sent'] });
    await here.set({ merchantId: 'm', version: 1, eventTypes: ['*'] });
    t.notOk(there.wants('m', 'message.sent'));
    await there.refresh();
    for (const each of [here, there]) {
      t.ok(each.wants('m', 'message.sent'));
      t.notOk(each.wants('m', 'message.read'));
      t.notOk(each.wants('other', 'message.sent'));
    }
  },
);

void eachDatabase(t, 'the events of one batch of receipts go out in one job', async (t, database) => {
  const stage = await startStage(t, database, { subscriptions: ['message.delivered'] });
  await stage.greet('15551230003');
  stage.ingress.hold();
  const answer = await stage.call('POST', '/api/v1/messages', {
    messages: Array.from({ length: 5 }, (_, index) => ({ to: '15551230003', content: `hello ${index}` })),
  });
  const ids = answer.body.data.messages.map(({ id }: { id: string }) => id);
  const accepted = await until(
    async () => stage.simulator.accepted().length === 5 && stage.simulator.accepted(),
    { what: 'all are accepted' },
  );
  await stage.ingress.add({
    queue: 'receipts',
    name: 'apply-statuses',
    payload: {
      merchantId: 'default',
      phoneNumberId: stage.simulator.credentials.phoneNumberId,
      statuses: accepted.map(({ wamid, opaque }) => ({
        id: wamid,
        status: 'delivered',
        timestamp: String(Math.floor(Date.now() / 1000)),
        biz_opaque_callback_data: opaque,
      })),
      receivedAtMs: Date.now(),
    },
  });
  await until(async () => (await stage.queued('webhooks')).length > 0, { what: 'the batch' });
  const jobs = await stage.queued('webhooks');
  t.equal(jobs.length, 1);
  t.same(
    (jobs[0]!.payload.events as { id: string }[]).map(({ id }) => id).toSorted(),
    ids.map((id: string) => `${id}_delivered`).toSorted(),
  );
});
