import { createSqliteDatabase, eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { type Stage, startStage } from '../helper.ts';

const PHONE = '15551235001';

const rowOf = (stage: Stage, id: string) =>
  stage.service.database.db.selectFrom('messages').selectAll().where('id', '=', id).executeTakeFirst();

async function accepted(stage: Stage, ids: readonly string[]): Promise<string[]> {
  for (const messageId of ids)
    await stage.ingress.add({
      queue: 'messages',
      name: 'send-message',
      payload: { messageId, to: PHONE, content: `text of ${messageId}` },
    });
  for (const id of ids)
    await until(async () => (await rowOf(stage, id))?.state === 'accepted', { what: `${id} goes` });
  return await Promise.all(
    ids.map(
      async (id) => (await stage.call('GET', `/api/v1/messages/${id}`)).body.data.providerMessageId as string,
    ),
  );
}

function receive(stage: Stage, statuses: Record<string, unknown>[], merchantId = 'default') {
  return stage.ingress.add({
    queue: 'receipts',
    name: 'apply-statuses',
    payload: { merchantId, phoneNumberId: '100000000000001', statuses, receivedAtMs: Date.now() },
  });
}

void eachDatabase(
  t,
  'receipts by our id or the provider’s, twice, out of order and without delivered end in the highest state',
  async (t, database) => {
    const stage = await startStage(t, database, {
      simulator: { settings: { statuses: { enabled: false }, window: { mode: 'off' } } },
    });
    await stage.greet(PHONE);
    const [first, second, third] = await accepted(stage, ['m_1', 'm_2', 'm_3']);
    const status = (id: string | undefined, word: string, more: object = {}) => ({
      id,
      status: word,
      timestamp: '1795000000',
      ...more,
    });
    const batch = [
      status(first, 'read'),
      status(first, 'sent'),
      status(first, 'read'),
      status('wamid.unknown-id', 'delivered', { biz_opaque_callback_data: 'm_2:1' }),
      status(third, 'failed', { errors: [{ code: 131026, title: 'Undeliverable' }] }),
      status('wamid.of-nobody', 'read'),
      status('wamid.forged', 'read', { biz_opaque_callback_data: 'm_3:7' }),
      { id: second, status: 'of-tomorrow' },
    ];
    await receive(stage, batch);
    await receive(stage, batch.toReversed());
    await receive(stage, [status(second, 'read')], 'another-merchant');
    await until(async () => (await rowOf(stage, 'm_3'))?.state === 'failed');
    await until(async () => (await rowOf(stage, 'm_1'))?.state === 'read');
    t.match(await rowOf(stage, 'm_2'), { state: 'delivered' });
    t.match(await rowOf(stage, 'm_3'), { failureCode: '131026', failureReason: 'Undeliverable' });
    const events = (await stage.queued('webhooks')).flatMap(
      ({ payload }) => payload.events as { id: string }[],
    );
    const ids = events.map(({ id }) => id).filter((id) => id.startsWith('m_'));
    t.strictSame(
      ids.toSorted(),
      ['m_1_read', 'm_1_sent', 'm_2_delivered', 'm_3_failed'],
      'each is told once',
    );
    await receive(stage, [status(third, 'delivered')]);
    await until(async () => (await rowOf(stage, 'm_3'))?.state === 'delivered', {
      what: 'delivered outranks failed',
    });
    t.equal((await rowOf(stage, 'm_3'))!.failureCode, null);
  },
);

t.test('a number of 80 per second is kept to its limit', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t), {
    env: { WHATSAPP_MESSAGES_PER_SECOND: '80' },
    simulator: {
      numbers: [{ id: '100000000000001', throughputLevel: 'STANDARD' }],
      settings: { window: { mode: 'off' }, limits: { throughput: false } },
    },
  });
  const phones = Array.from({ length: 10 }, (_, index) => `1555123510${index}`);
  for (const phone of phones) await stage.greet(phone);
  for (let index = 0; index < 240; index += 1)
    await stage.ingress.add({
      queue: 'messages',
      name: 'send-message',
      payload: { messageId: `m_${index}`, to: phones[index % 10]!, content: `${index}` },
    });
  await until(() => stage.simulator.statistics().accepted === 240, {
    timeoutMs: 120_000,
    what: 'all are sent',
  });
  const { rejectedByCode, numbers } = stage.simulator.statistics();
  t.strictSame(rejectedByCode, {});
  // The tests of pacing hold the slots to the very limit; a busy machine holds up the simulator, for which a moment has what came meanwhile.
  const { peakSecond } = numbers[0]!;
  t.ok(peakSecond <= 100, `about 80 in a second at most (${peakSecond})`);
  t.strictSame(stage.simulator.repeats(), []);
});

t.test('a throughput error halves the rate and costs no try', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  await stage.greet(PHONE);
  stage.simulator.addFault({ kind: 'error', code: 130429, count: 1 });
  await stage.ingress.add({
    queue: 'messages',
    name: 'send-message',
    payload: { messageId: 'm_fast', to: PHONE, content: 'x' },
  });
  await until(async () => (await rowOf(stage, 'm_fast'))?.state === 'read', {
    what: 'it goes after a pause',
  });
  t.match(await rowOf(stage, 'm_fast'), { attempts: 2, failures: 0 });
});
