import { eachDatabase, silentLogger } from '@switchyard/test-kit';
import t from 'tap';
import { createGroupCommit } from '../../src/database/group-commit.ts';
import type { Store } from '../../src/database/scope.ts';
import { buildApp, loadServiceConfig } from '../../src/index.ts';
import { createRecorder } from '../../src/messages/recorder.ts';
import { createSenderDirectory } from '../../src/senders/sender-directory.ts';
import { createAttemptStore } from '../../src/sending/attempt-store.ts';
import { startSurroundings } from '../helper.ts';
import { fillNumbers, fillPeople, personOf, senderIdOf } from '../load/fill-tables.ts';

void eachDatabase(
  t,
  'a message to someone who has written is recorded with its intent',
  async (t, database) => {
    const around = await startSurroundings(t, database);
    const service = await buildApp(loadServiceConfig(around.env), { logger: silentLogger() });
    t.teardown(() => service.close());
    const { db, dialect, transaction } = service.database;
    await fillNumbers(db, around.env, 1, 80);
    await fillPeople(db, 12, 1);
    const store: Store = {
      ...{ db, dialect, now: Date.now },
      inScope: (work) => transaction((trx) => work({ trx, enqueue: () => undefined })),
    };
    const group = createGroupCommit(store.inScope);
    const secretBox = { open: () => 'token', isCurrent: () => true } as never;
    const senders = createSenderDirectory({ db, secretBox, logger: silentLogger(), defaultRate: undefined });
    const recorder = createRecorder(store, group, senders, {
      check: async () => undefined,
      templateOf: async () => undefined,
    });
    const attempts = createAttemptStore(store, group, { add: () => undefined });
    const payloadOf = (index: number) => ({
      to: personOf(index),
      content: `text ${index}`,
      senderId: senderIdOf(0),
      messageId: `m_${index}`,
    });
    const meet = async (index: number) => (await recorder.meet(payloadOf(index), 'msg'))!;
    const rowOf = (index: number) =>
      db.selectFrom('messages').selectAll().where('id', '=', `m_${index}`).executeTakeFirst();
    const callsOf = (index: number) =>
      db
        .selectFrom('message_attempts')
        .select(['attempt', 'state'])
        .where('messageId', '=', `m_${index}`)
        .execute();
    const contactOf = async (index: number) => (await meet(index)).contactId!;

    await t.test('nothing is written before', async (t) => {
      const message = await meet(0);
      t.equal(await rowOf(0), undefined);
      t.match(await attempts.begin(message), { attempt: 1 });
      t.match(await rowOf(0), {
        ...{ state: 'sending', attempts: 1, contactId: message.contactId, address: personOf(0) },
        content: JSON.stringify({ body: 'text 0' }),
      });
      t.match(await callsOf(0), [{ attempt: 1, state: 'open' }]);
    });

    await t.test('one that another try of its job has under way is not begun again', async (t) => {
      t.equal(await attempts.begin(await meet(0)), undefined);
      t.equal((await callsOf(0)).length, 1);
    });

    await t.test('of two tries at the same time one begins', async (t) => {
      const [first, second] = [await meet(1), await meet(1)];
      const begun = await Promise.all([attempts.begin(first), attempts.begin(second)]);
      t.equal(begun.filter((each) => each !== undefined).length, 1);
      t.equal((await callsOf(1)).length, 1);
    });

    await t.test(
      'one that an earlier try has recorded goes out from its row, its neighbours too',
      async (t) => {
        await recorder.record(payloadOf(2), 'msg');
        const begun = await Promise.all([2, 3, 0].map(async (index) => attempts.begin(await meet(index))));
        t.match(begun, [{ attempt: 1 }, { attempt: 1 }, undefined]);
        t.match([await rowOf(2), await rowOf(3)], [{ state: 'sending' }, { state: 'sending' }]);
      },
    );

    await t.test('who opts out meanwhile is not called, on record', async (t) => {
      const message = await meet(4);
      await db.updateTable('contacts').set({ optedOut: 1 }).where('id', '=', message.contactId!).execute();
      const end = await attempts.begin(message);
      t.match(end, { kind: 'settle', state: 'skipped', code: 'OPTED_OUT' });
      t.equal(await attempts.settle(message, end as never), true);
      t.match(await rowOf(4), { state: 'skipped', attempts: 0, failureCode: 'OPTED_OUT' });
      t.strictSame(await callsOf(4), []);
    });

    await t.test('whoever has the address by now counts, when the contact is gone', async (t) => {
      const message = await meet(5);
      const survivor = await contactOf(6);
      await db
        .updateTable('contact_identifiers')
        .set({ contactId: survivor })
        .where('value', '=', personOf(5))
        .execute();
      await db.deleteFrom('conversations').where('contactId', '=', message.contactId!).execute();
      await db.deleteFrom('contacts').where('id', '=', message.contactId!).execute();
      t.match(await attempts.begin(message), { attempt: 1 });
      t.match(await rowOf(5), { state: 'sending', contactId: survivor });
    });

    await t.test('one that must wait is recorded as waiting', async (t) => {
      const untilMs = Date.now() + 60_000;
      await attempts.postpone(await meet(7), untilMs, 'NUMBER_PAUSED');
      t.match(await rowOf(7), {
        ...{ state: 'queued', attempts: 0, nextAttemptAtMs: untilMs },
        waitReason: 'NUMBER_PAUSED',
      });
      t.match(await attempts.begin(await meet(7)), { attempt: 1 });
    });

    await t.test('others are recorded first', async (t) => {
      t.equal(await recorder.meet({ ...payloadOf(8), to: '+15557654321' }, 'msg'), undefined, 'a stranger');
      t.equal(await recorder.meet({ ...payloadOf(8), to: 'nobody' }, 'msg'), undefined, 'no address');
      t.equal(await recorder.meet({ ...payloadOf(8), senderId: 'none' }, 'msg'), undefined, 'no number');
      t.equal(await recorder.meet({ ...payloadOf(8), content: '' }, 'msg'), undefined, 'nothing to say');
      t.equal(
        await recorder.meet({ ...payloadOf(8), contactId: await contactOf(9) }, 'msg'),
        undefined,
        'another contact than the address has',
      );
      t.match(await recorder.meet({ ...payloadOf(8), contactId: await contactOf(8) }, 'msg'), {
        state: 'queued',
      });
    });
  },
);
