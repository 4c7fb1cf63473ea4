import { until } from '@switchyard/test-kit';
import t from 'tap';
import { notification, testQueues } from './helper.ts';

const payload = notification('n1').payload;

for (const { what, name, data, code } of [
  {
    what: 'a payload that does not fit its schema',
    name: 'send-notification',
    data: { v: 1, payload: { ...payload, severity: 'loud' }, meta: { merchantId: 'm1' } },
    code: 'PAYLOAD_INVALID',
  },
  { what: 'a job name of nobody', name: 'sing-song', data: { v: 1, payload }, code: 'JOB_UNKNOWN' },
  { what: 'a name every object has', name: 'constructor', data: { v: 1, payload }, code: 'JOB_UNKNOWN' },
  { what: 'data without an envelope', name: 'send-notification', data: payload, code: 'PAYLOAD_INVALID' },
  {
    what: 'an envelope of the future',
    name: 'send-notification',
    data: { v: 2, payload },
    code: 'PAYLOAD_INVALID',
  },
  { what: 'data that is no object', name: 'send-notification', data: [1, null], code: 'PAYLOAD_INVALID' },
])
  t.test(`${what} is kept whole at once and never tried`, async (t) => {
    const { producer, sink, work } = await testQueues(t);
    let runs = 0;
    await work({ queue: 'notifications', processors: { 'send-notification': async () => runs++ } });
    const queue = producer.queue('notifications');
    await queue.add(name, data, { jobId: 'foreign', attempts: 5 });
    await until(async () => (await queue.getFailedCount()) === 1);
    t.match(sink.entries, [{ queue: 'notifications', name, jobId: 'foreign', code, attemptsMade: 1 }]);
    t.same(JSON.parse(sink.entries[0]!.data), data);
    t.equal(runs, 0);
  });

t.test('data that is no JSON is kept as text, and the jobs behind it go on', async (t) => {
  const { producer, connection, sink, work } = await testQueues(t);
  await producer.add(notification('broken'));
  await connection.hset('bull:notifications:broken', 'data', '{"v":1,');
  await producer.add(notification('good'));
  const done: string[] = [];
  await work({
    queue: 'notifications',
    processors: { 'send-notification': async (_payload, { job }) => done.push(job.id) },
  });
  await until(() => done.length === 1 && sink.entries.length === 1);
  t.same(done, ['good']);
  t.match(sink.entries, [{ jobId: 'broken', code: 'PAYLOAD_INVALID' }]);
  t.same(JSON.parse(sink.entries[0]!.data), { unreadable: '{"v":1,' });
});

t.test('a job of the catalog without a processor here is kept', async (t) => {
  const { producer, sink, work } = await testQueues(t);
  await work({ queue: 'notifications', processors: {} });
  await producer.add(notification('n1'));
  await until(() => sink.entries.length === 1);
  t.match(sink.entries, [{ jobId: 'n1', code: 'JOB_UNKNOWN' }]);
});
