import { createSqliteDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { type Stage, startStage } from '../helper.ts';

const PHONE = '15551237001';
const NUMBER = '100000000000001';

async function send(stage: Stage, messageId: string) {
  await stage.ingress.add({
    queue: 'messages',
    name: 'send-message',
    payload: { messageId, to: PHONE, content: `text of ${messageId}` },
  });
}

const senderOf = (stage: Stage) =>
  stage.service.database.db
    .selectFrom('senders')
    .selectAll()
    .where('phoneNumberId', '=', NUMBER)
    .executeTakeFirstOrThrow();

/** The time of the next probe comes. */
async function letProbe(stage: Stage) {
  await stage.service.database.db
    .updateTable('senders')
    .set({ probeAtMs: 1 })
    .where('phoneNumberId', '=', NUMBER)
    .execute();
}

async function pausedBy(stage: Stage, code: number) {
  await stage.greet(PHONE);
  const fault = stage.simulator.addFault({ kind: 'error', code });
  await send(stage, 'm_waits');
  await until(async () => (await senderOf(stage)).state === 'paused', { what: 'the number is paused' });
  stage.simulator.removeFaults(fault.id);
}

const titles = async (stage: Stage) =>
  (await stage.queued('notifications')).map(({ payload }) => String(payload.title));

t.test('a number that was paused for its token is resumed by a probe, and its message goes', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  await pausedBy(stage, 190);
  const paused = await senderOf(stage);
  t.ok(paused.probeAtMs! > Date.now(), 'it is asked about later');
  await letProbe(stage);
  await stage.simulator.waitForAccepted(({ messageId }) => messageId === 'm_waits', 30_000);
  t.match(await senderOf(stage), { state: 'active', pauseCode: null, probeAtMs: null });
  await until(async () => (await titles(stage)).some((title) => title.endsWith('sends again')));
  t.ok((await titles(stage)).some((title) => title.startsWith('Sending has stopped')));
  const types = (await stage.queued('webhooks')).flatMap(({ payload }) =>
    (payload.events as { type: string }[]).map(({ type }) => type),
  );
  t.ok(types.includes('sender.paused') && types.includes('sender.resumed'), 'the merchant is told of both');
});

t.test(
  'a number that the provider calls blocked stays paused and is asked about less and less',
  async (t) => {
    const stage = await startStage(t, await createSqliteDatabase(t));
    await pausedBy(stage, 131031);
    stage.simulator.putNumber({ id: NUMBER, canSendMessage: 'BLOCKED' });
    await letProbe(stage);
    const once = await until(
      async () => {
        const row = await senderOf(stage);
        return row.probes === 1 && row;
      },
      { timeoutMs: 30_000 },
    );
    t.equal(once.state, 'paused');
    await letProbe(stage);
    const twice = await until(
      async () => {
        const row = await senderOf(stage);
        return row.probes === 2 && row;
      },
      { timeoutMs: 30_000 },
    );
    t.ok(twice.probeAtMs! - Date.now() > 9 * 60_000, 'the pause has doubled');
    t.equal(stage.simulator.accepted().length, 0);
  },
);

t.test('a number that a person has paused is left alone by probes', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  const { id } = await senderOf(stage);
  await stage.call('PATCH', `/api/v1/senders/${id}`, { state: 'paused' });
  t.match(await senderOf(stage), { state: 'paused', pauseCode: 'person', probeAtMs: null });
});
