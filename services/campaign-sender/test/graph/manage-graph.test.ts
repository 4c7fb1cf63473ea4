import { loadConfig } from '@switchyard/config';
import { connectRedis, createBudget, redisFields, resolveRedisSettings } from '@switchyard/redis';
import { silentLogger, startRedis } from '@switchyard/test-kit';
import fc from 'fast-check';
import t from 'tap';
import type { GraphAnswer } from '../../src/graph/graph-api.ts';
import { CALL_COST, createManagementGraph, managementBucket } from '../../src/graph/manage-graph.ts';

t.test('no hour sees more calls than are allowed', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 12, max: 1_000_000 }), (callsPerHour) => {
      const { maximum, restorePerSecond } = managementBucket(callsPerHour);
      return (maximum + 3600 * restorePerSecond) / CALL_COST <= callsPerHour && maximum >= CALL_COST;
    }),
  );
  t.match(managementBucket(5000), { maximum: 416_000, restorePerSecond: 1273 });
});

t.test('an account that is told to slow down is left alone, others are asked', async (t) => {
  const redis = await startRedis(t);
  const settings = resolveRedisSettings(loadConfig(redisFields, { REDIS_URL: redis.url })).queue;
  const client = connectRedis(settings, { profile: 'request', logger: silentLogger() });
  t.teardown(() => client.disconnect());
  const budget = createBudget({
    ...{ client, logger: silentLogger(), name: 'test' },
    assumed: managementBucket(600),
  });
  const asked: string[] = [];
  let answer: GraphAnswer = { kind: 'ok', body: {} };
  const provider = {
    async get(path: string): Promise<GraphAnswer> {
      asked.push(path);
      return answer;
    },
  };
  const management = createManagementGraph(provider, budget, 600);
  const ask = (wabaId: string | null, phoneNumberId = '1') =>
    management.of({ wabaId, phoneNumberId }).get('path', 'token');
  t.match(await ask('waba_1'), { kind: 'ok' });
  answer = { kind: 'refused', code: 80007, details: '' };
  t.match(await ask('waba_1'), { kind: 'refused', code: 80007 });
  const before = asked.length;
  const answers = await Promise.all(Array.from({ length: 4 }, () => ask('waba_1')));
  t.ok(
    answers.some((each) => each.kind === 'away' && each.cause.includes('used up')),
    'what would wait for long is not asked',
  );
  t.ok(asked.length - before < 4);
  answer = { kind: 'ok', body: {} };
  t.match(await ask('waba_2'), { kind: 'ok' });
  t.match(await ask(null), { kind: 'ok' });
});
