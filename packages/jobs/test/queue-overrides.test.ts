import { loadConfig } from '@switchyard/config';
import t from 'tap';
import { queueFields, queueNames, resolveQueueOverrides, settingsOf } from '../src/index.ts';

const resolve = (env: Record<string, string>) => resolveQueueOverrides(loadConfig(queueFields, env));

t.test('unset, the environment changes nothing of the catalog', async (t) => {
  const overrides = resolve({});
  for (const queue of queueNames) t.same(settingsOf(queue, overrides), settingsOf(queue), queue);
  t.same(overrides.defaults, { concurrency: 3, attempts: 3, backoffMs: 5000 });
});

t.test(
  'the defaults fill only what the catalog leaves open; imports never get a second attempt',
  async (t) => {
    const overrides = resolve({ QUEUE_CONCURRENCY: '7', QUEUE_ATTEMPTS: '9', QUEUE_BACKOFF_DELAY: '100' });
    t.equal(settingsOf('imports', overrides).attempts, 1);
    t.equal(settingsOf('emails', overrides).attempts, 5);
    t.match(settingsOf('inbound', overrides), { attempts: 9, backoffMs: 100 });
    t.equal(settingsOf('control', overrides).concurrency, 7);
    t.equal(settingsOf('messages', overrides).concurrency, settingsOf('messages').concurrency);
  },
);

t.test('one queue is set by its name', async (t) => {
  const overrides = resolve({
    QUEUE_MESSAGES_CONCURRENCY: '11',
    QUEUE_MESSAGES_ATTEMPTS: '4',
    QUEUE_MESSAGES_BACKOFF_DELAY: '250',
    QUEUE_MESSAGES_RATE_MAX: '80',
    QUEUE_MESSAGES_RATE_DURATION: '1000',
  });
  t.match(settingsOf('messages', overrides), {
    concurrency: 11,
    attempts: 4,
    backoffMs: 250,
    rate: { max: 80, durationMs: 1000 },
  });
  t.same(settingsOf('emails', overrides), settingsOf('emails'));
});

t.test('a bad value is refused by its name', async (t) => {
  for (const variable of Object.keys(queueFields))
    for (const bad of ['0', '-1', '1.5', 'many'])
      t.throws(() => resolve({ [variable]: bad }), { name: 'ConfigError', variable }, `${variable}=${bad}`);
  t.throws(() => resolve({ QUEUE_AI_RATE_MAX: '5' }), {
    name: 'ConfigError',
    variable: 'QUEUE_AI_RATE_DURATION',
  });
  t.throws(() => resolve({ QUEUE_AI_RATE_DURATION: '5' }), {
    name: 'ConfigError',
    variable: 'QUEUE_AI_RATE_MAX',
  });
});
