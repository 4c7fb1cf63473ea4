import { eachDatabase, recordingLogger, until } from '@switchyard/test-kit';
import t from 'tap';
import { startStage } from '../helper.ts';

const people = Array.from({ length: 6 }, (_, index) => `1555127000${index}`);

void eachDatabase(
  t,
  'messages of one job are each sent once, in whatever jobs they are asked for again, and one that cannot be sent keeps none of the others',
  async (t, database) => {
    const recorded = recordingLogger();
    const stage = await startStage(t, database, { logger: recorded.logger });
    for (const phone of people.slice(0, 5)) await stage.greet(phone);
    stage.simulator.addFault({ kind: 'error', code: 131026, to: people[4]! });
    const messageOf = (index: number) => ({
      messageId: `m_${index}`,
      to: people[index]!,
      content: `text ${index}`,
      origin: { kind: 'flow', runId: `run_${index}`, stepId: '1', notifyOutcome: true } as const,
    });
    const together = (indexes: readonly number[]) =>
      stage.ingress.add({
        queue: 'messages',
        name: 'send-messages',
        payload: {
          messages: indexes.map((index) => ({
            message: messageOf(index),
            meta: { correlationId: `event-${index}` },
          })),
        },
      });
    // The last has never written, the one before is refused by the provider.
    await Promise.all([
      together([0, 1, 2, 3, 4, 5]),
      together([1, 0]),
      together([3, 2, 5]),
      stage.ingress.add({ queue: 'messages', name: 'send-message', payload: messageOf(0) }),
      stage.ingress.add({ queue: 'messages', name: 'send-message', payload: messageOf(4) }),
    ]);
    const { db } = stage.service.database;
    const read = async () =>
      await db
        .selectFrom('messages')
        .select(['id', 'state', 'failureCode'])
        .where('direction', '=', 'out')
        .orderBy('id')
        .execute();
    const ends = ['read', 'failed'];
    const rows = await until(
      async () => {
        const found = await read();
        return found.length === people.length && found.every(({ state }) => ends.includes(state)) && found;
      },
      { what: 'all have come to their end' },
    );
    t.strictSame(
      rows.map(({ id, state, failureCode }) => [id, state, failureCode]),
      [
        ['m_0', 'read', null],
        ['m_1', 'read', null],
        ['m_2', 'read', null],
        ['m_3', 'read', null],
        ['m_4', 'failed', '131026'],
        ['m_5', 'failed', '131047'],
      ],
    );
    await until(async () => (await stage.ingress.jobsLeft()) === 0, { what: 'every job is done' });
    t.strictSame(stage.simulator.repeats(), []);
    t.strictSame(
      stage.simulator
        .accepted()
        .map(({ messageId }) => messageId)
        .toSorted(),
      ['m_0', 'm_1', 'm_2', 'm_3'],
    );
    const told = (await stage.queued('flows')).filter(({ name }) => name === 'record-message-outcome');
    t.strictSame(
      told.map(({ payload }) => [payload.messageId, payload.outcome]).toSorted(),
      [0, 1, 2, 3, 4, 5].map((index) => [`m_${index}`, index < 4 ? 'accepted' : 'failed']),
      'each flow hears of its own message, once',
    );
    const lines = recorded.lines.filter(({ msg }) => msg === 'message of the job done');
    t.strictSame(
      [...new Set(lines.map(({ correlationId, messageId }) => `${correlationId} ${messageId}`))].toSorted(),
      people.map((_, index) => `event-${index} m_${index}`),
      'the log follows each by its own id',
    );
  },
);

void eachDatabase(
  t,
  'a burst of joined messages takes no more places at a time than jobs of one each would, and so needs no way by SQL',
  async (t, database) => {
    const stage = await startStage(t, database, { env: { QUEUE_MESSAGES_CONCURRENCY: '50' } });
    const { db } = stage.service.database;
    await db.updateTable('senders').set({ messagesPerSecond: 1_000_000 }).execute();
    const phones = Array.from({ length: 30 }, (_, index) => `15551280${String(index).padStart(3, '0')}`);
    for (const phone of phones) await stage.greet(phone);
    // More than the gate has places for messages of one number; to each person one after another.
    const jobs = Array.from({ length: 30 }, (_, job) =>
      phones.slice(0, 20).map((_, at) => ({
        message: {
          messageId: `m_${job}_${at}`,
          to: phones[(job + at) % phones.length]!,
          content: `text ${job}`,
        },
      })),
    );
    await Promise.all(
      jobs.map((messages) =>
        stage.ingress.add({ queue: 'messages', name: 'send-messages', payload: { messages } }),
      ),
    );
    const count = jobs.flat().length;
    await until(
      async () => {
        const row = await db
          .selectFrom('messages')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .where('state', '=', 'read')
          .executeTakeFirstOrThrow();
        return Number(row.count) === count;
      },
      { what: 'all are read', timeoutMs: 60_000, intervalMs: 50 },
    );
    const handedOut = await db.selectFrom('messages').select('id').where('turn', '>', 0).execute();
    t.strictSame(handedOut, [], 'none has waited in SQL');
    t.equal(stage.simulator.accepted().length, count);
  },
);

void eachDatabase(
  t,
  'an answer to somebody who writes overtakes a burst of joined messages that was there before it',
  async (t, database) => {
    const stage = await startStage(t, database, { env: { QUEUE_MESSAGES_CONCURRENCY: '5' } });
    await stage.service.database.db.updateTable('senders').set({ messagesPerSecond: 1_000_000 }).execute();
    const phones = Array.from({ length: 40 }, (_, index) => `15551290${String(index).padStart(3, '0')}`);
    for (const phone of phones) await stage.greet(phone);
    stage.simulator.addFault({ kind: 'slow', delayMs: 20 });
    const ask = (prefix: string, to: readonly string[], priority: number) =>
      stage.ingress.add({
        queue: 'messages',
        name: 'send-messages',
        payload: {
          messages: to.map((phone, at) => ({
            message: { messageId: `${prefix}_${at}`, to: phone, content: prefix },
          })),
        },
        options: { priority },
      });
    for (let job = 0; job < 10; job += 1)
      await ask(`reminder_${job}`, phones.slice((job % 2) * 20, (job % 2) * 20 + 20), 6);
    await until(() => stage.simulator.accepted().length > 0, { what: 'the burst is under way' });
    const before = stage.simulator.accepted().length;
    await ask('answer', phones.slice(0, 2), 4);
    const isAnswer = ({ messageId = '' }) => messageId.startsWith('answer_');
    await until(() => stage.simulator.accepted().filter(isAnswer).length === 2, {
      what: 'the answers have gone',
    });
    // First a job must end for theirs to be taken up, of twenty messages; a hundred were taken up before.
    const overtaking = stage.simulator.accepted().length - before;
    t.ok(overtaking <= 60, `after ${overtaking} messages`);
    await until(() => stage.simulator.accepted().length === 202, {
      what: 'all have gone',
      timeoutMs: 60_000,
    });
  },
);
