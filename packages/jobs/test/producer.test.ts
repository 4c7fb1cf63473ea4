import { silentLogger, until } from '@switchyard/test-kit';
import fc from 'fast-check';
import t from 'tap';
import { type AddOptions, createProducer, type JobToAdd } from '../src/index.ts';
import { notification, testQueues } from './helper.ts';

const message = (payload: Record<string, unknown>, options: AddOptions = {}) =>
  ({ queue: 'messages', name: 'send-message', payload, options }) as unknown as JobToAdd;

t.test('what does not fit the schema is refused before it is added, and the field is named', async (t) => {
  const { producer } = await testQueues(t);
  const good = { to: '+4915112345678', content: 'hello' };
  for (const [payload, field] of [
    [{ content: 'hello' }, 'to'],
    [{ ...good, to: 7 }, 'to'],
    [{ ...good, to: '' }, 'to'],
    [{ ...good, lane: 'fast' }, 'lane'],
    [{ ...good, messageId: 'with space' }, 'messageId'],
    [{ ...good, origin: { kind: 'flow', runId: 'r', stepId: 7 } }, 'origin.stepId'],
    [[], 'payload'],
    [null, 'payload'],
    ['text', 'payload'],
  ] as const)
    await t.rejects(
      producer.add(message(payload as never)),
      { code: 'PAYLOAD_INVALID', statusCode: 400, outcome: 'never', details: { field } },
      JSON.stringify(payload),
    );
  await t.rejects(producer.add({ ...message(good), name: 'sing-song' } as never), { code: 'JOB_UNKNOWN' });
  await t.rejects(producer.add(message({ ...good, content: { big: 1n } })), {
    code: 'PAYLOAD_INVALID',
    message: 'payload is not JSON',
  });
  t.equal(await producer.queue('messages').count(), 0);
});

t.test('options out of range are refused', async (t) => {
  const { producer } = await testQueues(t);
  const payload = { to: '+4915112345678', content: 'hello' };
  for (const options of [
    { priority: 0 },
    { priority: 11 },
    { priority: 1.5 },
    { attempts: 0 },
    { deduplicationTtlMs: 1000 },
  ])
    await t.rejects(producer.add(message(payload, options)), { code: 'PAYLOAD_INVALID' });
  for (const jobId of ['', '123', 'a:b'])
    await t.rejects(producer.add(message(payload, { jobId })), { code: 'JOB_ID_INVALID' });
  t.throws(() => producer.check(message(payload, { jobId: '1' })), { code: 'JOB_ID_INVALID' });
  t.throws(() => producer.check(message({})), { code: 'PAYLOAD_INVALID' });
});

t.test('a job carries what its queue fixes, its own overrides, and an envelope', async (t) => {
  const { producer, connection } = await testQueues(t);
  const queue = producer.queue('notifications');
  await producer.add({ ...notification('plain'), meta: { correlationId: 'c-1' } });
  const plain = await queue.getJob('plain');
  t.match(plain?.opts, { attempts: 3, backoff: { type: 'exponential', delay: 20 } });
  t.match(plain?.data, { v: 1, payload: { notificationId: 'plain' }, meta: { correlationId: 'c-1' } });
  await producer.add(
    notification('own', { attempts: 7, priority: 2, delayMs: 60_000, removeOnComplete: true, jobId: 'mine' }),
  );
  const own = await queue.getJob('mine');
  t.match(own?.opts, { attempts: 7, priority: 2, delay: 60_000, removeOnComplete: true });
  t.equal(await own?.getState(), 'delayed');
  await producer.add({
    queue: 'imports',
    name: 'import-contacts',
    payload: { merchantId: 'm', importId: '42', file: { path: 'a.csv' } },
  });
  const once = await producer.queue('imports').getJob('~42');
  t.equal(once?.opts.attempts, 1, 'an import is tried once; an id that is all digits was made safe');
  t.ok(
    Number(await connection.hget('bull:notifications:meta', 'opts.maxLenEvents')) <= 1000,
    'events are few',
  );
});

t.test('adding twice is harmless while the first is kept, and with de-duplication also after', async (t) => {
  const { producer, work } = await testQueues(t);
  const queue = producer.queue('notifications');
  let runs = 0;
  await producer.add(notification('n1'));
  await producer.add(notification('n1'));
  t.equal(await queue.count(), 1);
  await work({ queue: 'notifications', processors: { 'send-notification': async () => runs++ } });
  const forgotten = notification('n2', { removeOnComplete: true, deduplicationTtlMs: 60_000 });
  await producer.add(forgotten);
  await until(async () => runs === 2 && (await queue.getJob('n2')) === undefined);
  await producer.add(forgotten);
  await producer.add(notification('n3'));
  await until(() => runs === 3);
  t.equal(await queue.getJob('n2'), undefined, 'dropped, though nothing of the first is left');
});

t.test('many jobs: all are checked before the first is added, all arrive once', async (t) => {
  const { producer } = await testQueues(t);
  const queue = producer.queue('notifications');
  const jobs: JobToAdd[] = Array.from({ length: 1000 }, (_, index) => notification(`n${index}`));
  const broken = { ...notification('broken'), payload: {} } as unknown as JobToAdd;
  await t.rejects(producer.addMany([...jobs, broken]), { code: 'PAYLOAD_INVALID' });
  t.equal(await queue.count(), 0);
  await producer.addMany(jobs);
  await producer.addMany(jobs);
  t.equal(await queue.count(), 1000);
  await producer.addMany([]);
});

t.test('whatever a caller gives as a payload, the answer is a job or a coded error', async (t) => {
  const { connection } = await testQueues(t);
  const producer = createProducer({ connection, prefix: 'bull', logger: silentLogger() });
  t.teardown(() => producer.close());
  await fc.assert(
    fc.asyncProperty(fc.anything({ withBigInt: true, withMap: true }), async (payload) => {
      try {
        await producer.add(message(payload as never));
      } catch (error) {
        if ((error as { code?: string }).code !== 'PAYLOAD_INVALID') throw error;
      }
    }),
    { numRuns: 300 },
  );
});

t.test(
  'a job that has ended can be forgotten, readable or not; one that is still to run stays',
  async (t) => {
    const { producer, connection, work } = await testQueues(t);
    const queue = producer.queue('notifications');
    const waiting = notification('waits', { delayMs: 60_000 });
    await producer.add(waiting);
    const worker = await work({
      queue: 'notifications',
      processors: { 'send-notification': async () => ({ told: '+15551234567' }) },
    });
    await producer.add(notification('done'));
    await queue.add('send-notification', { v: 1, payload: 'unfit' }, { jobId: 'bad' });
    await until(async () => (await queue.getFailedCount()) === 1 && (await queue.getCompletedCount()) === 1);
    await worker.close(1000);
    await connection.hset('bull:notifications:bad', 'data', '{');
    for (const id of ['waits', 'bad', 'nobody']) await producer.forget('notifications', id);
    t.equal(await queue.getFailedCount(), 0);
    t.ok(await queue.getJob('waits'), 'it is still to run');
    await producer.forgetCompleted('notifications', (text) => text.includes('+15550000000'));
    t.equal(await queue.getCompletedCount(), 1, 'it passed no test');
    await producer.forgetCompleted(
      'notifications',
      (text) => text.includes('done') && text.includes('+15551234567'),
    );
    t.equal(await queue.getCompletedCount(), 0, 'its data and its result are looked at');
    t.equal(await connection.exists('bull:notifications:done', 'bull:notifications:bad'), 0);
  },
);
