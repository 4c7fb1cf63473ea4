import { until } from '@switchyard/test-kit';
import t from 'tap';
import type { AddOptions, JobToAdd } from '../src/index.ts';
import { notification, quick, testQueues } from './helper.ts';

function message(
  messageId: string,
  more: { lane?: 'transactional' | 'flow' | 'campaign' } = {},
  options: AddOptions = {},
) {
  return {
    queue: 'messages',
    name: 'send-message',
    payload: { messageId, to: '+4915112345678', content: 'hello', ...more },
    options,
  } satisfies JobToAdd;
}

t.test(
  'messages are served by priority: none goes unprioritized, the lane decides, a caller may override',
  async (t) => {
    const { producer, work } = await testQueues(t);
    await producer.add(message('campaign', { lane: 'campaign' }));
    await producer.add(message('unsaid'));
    await producer.add({
      queue: 'messages',
      name: 'deliver-message',
      payload: { merchantId: 'm', messageId: 'wake', turn: 1 },
    });
    await producer.add(message('last', {}, { priority: 10 }));
    await producer.add(message('transactional', { lane: 'transactional' }));
    await producer.add(message('urgent-campaign', { lane: 'campaign' }, { priority: 1 }));
    const jobs = await producer.queue('messages').getPrioritized();
    t.equal(jobs.length, 6, 'every one has a priority');
    const order: string[] = [];
    const take = async (payload: { messageId?: string }) => order.push(payload.messageId ?? '');
    await work({
      queue: 'messages',
      overrides: { ...quick, queues: { messages: { concurrency: 1 } } },
      processors: { 'send-message': take, 'deliver-message': take },
    });
    await until(() => order.length === 6);
    t.same(order, ['transactional', 'urgent-campaign', 'unsaid', 'wake', 'campaign', 'last']);
  },
);

t.test('a rate holds over all workers of a queue', async (t) => {
  const { producer, work } = await testQueues(t);
  const durationMs = 2000;
  const overrides = { ...quick, queues: { notifications: { rate: { max: 5, durationMs } } } };
  const starts: number[] = [];
  const processors = { 'send-notification': async () => starts.push(Date.now()) };
  await producer.addMany(Array.from({ length: 15 }, (_, index) => notification(`n${index}`)));
  await work({ queue: 'notifications', overrides, processors });
  await work({ queue: 'notifications', overrides, processors });
  await until(() => starts.length === 15, { timeoutMs: 60_000 });
  // The window is Redis's, the stamps are this process's: slack for the way between them on a busy machine. Without a rate the
  // difference would be a few milliseconds.
  const slackMs = durationMs / 2;
  for (const index of [5, 10])
    t.ok(
      starts[index]! - starts[index - 5]! >= durationMs - slackMs,
      `the ${index + 1}th waits for its window`,
    );
});
