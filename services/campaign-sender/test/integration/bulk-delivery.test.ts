import type { JobToAdd } from '@switchyard/jobs';
import { eachDatabase, type Teardown, type TestDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { readOutgoing } from '../../src/messages/outgoing-message.ts';
import { recordMessages } from '../../src/messages/record-messages.ts';
import { startStage } from '../helper.ts';

const PHONE = '15551230009';

/** The service, and messages recorded to somebody who has written, whose jobs have not come yet. */
async function stageWith(t: Teardown, database: TestDatabase, count: number) {
  const stage = await startStage(t, database, { subscriptions: null });
  await stage.greet(PHONE);
  const { db, dialect } = stage.service.database;
  const sender = await db.selectFrom('senders').select('id').executeTakeFirstOrThrow();
  const ids = Array.from({ length: count }, (_, index) => `msg_bulk_${index}`);
  const items = ids.map((id) => {
    const { message } = readOutgoing({ to: `+${PHONE}`, content: id }, { id, merchantId: 'default' });
    return { message, problem: undefined, senderId: sender.id };
  });
  await recordMessages(db, dialect, items, Date.now());
  const jobOf = (turn: number, options: JobToAdd['options'] = {}): JobToAdd => ({
    queue: 'messages',
    name: 'deliver-messages',
    payload: { merchantId: 'default', messages: ids.map((messageId) => ({ messageId, turn })) },
    options: { priority: 4, ...options },
  });
  const sent = () =>
    stage.simulator
      .accepted()
      .map(({ messageId }) => messageId)
      .toSorted();
  return { ...stage, db, ids, jobOf, sent };
}

void eachDatabase(
  t,
  'of messages that one job delivers, one that cannot be read fails the job and keeps none of the others',
  async (t, database) => {
    const { call, db, ids, ingress, jobOf, sent } = await stageWith(t, database, 5);
    const [broken, ...whole] = ids;
    const { content } = await db
      .selectFrom('messages')
      .select('content')
      .where('id', '=', broken!)
      .executeTakeFirstOrThrow();
    await db.updateTable('messages').set({ content: '{' }).where('id', '=', broken!).execute();
    await ingress.add(jobOf(1, { attempts: 1 }));
    const failed = await until(
      async () => (await call('GET', '/api/v1/failed-jobs?queue=messages')).body.data.failedJobs[0],
      { what: 'the job has failed for good, on record' },
    );
    t.match(failed, { name: 'deliver-messages', reason: /JSON/ });
    t.strictSame(sent(), whole);

    await db.updateTable('messages').set({ content }).where('id', '=', broken!).execute();
    t.match(await call('POST', `/api/v1/failed-jobs/${failed.id}/retry`), { status: 202 });
    await until(() => sent().length === ids.length, { what: 'the one that is mended has gone' });
    t.strictSame(sent(), ids, 'and the others not again');
  },
);

void eachDatabase(
  t,
  'messages that are in two jobs at the same time, or in none that is theirs, go out once',
  async (t, database) => {
    const { ids, ingress, jobOf, sent } = await stageWith(t, database, 20);
    await ingress.add({
      queue: 'messages',
      name: 'deliver-messages',
      payload: { merchantId: 'other', messages: ids.map((messageId) => ({ messageId, turn: 9 })) },
    });
    await Promise.all([1, 2, 3].map((turn) => ingress.add(jobOf(turn))));
    await until(() => sent().length >= ids.length, { what: 'all have gone' });
    await until(async () => (await ingress.jobsLeft()) === 0, { what: 'all jobs are done' });
    t.strictSame(sent(), ids.toSorted());
  },
);
