import { eachDatabase, until } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import t from 'tap';
import { startStage } from '../helper.ts';

void eachDatabase(t, 'a queued message shows why it waits and until when', async (t, database) => {
  const stage = await startStage(t, database);
  await stage.greet('15551238001');
  await stage.greet('15551238002');
  const redis = new Redis(`${stage.redis.url}/1`);
  t.teardown(() => redis.disconnect());
  const { body } = await stage.call('GET', '/api/v1/senders');
  const senderId: string = body.data.items[0].id;
  const untilMs = Date.now() + 3_600_000;
  await redis.hset(`send:pair:${senderId}:+15551238001`, { until: untilMs * 1000 });
  const send = async (to: string) => {
    const answer = await stage.call('POST', '/api/v1/messages', { to, content: 'hello' });
    t.equal(answer.status, 202);
    return answer.body.data.messages[0].id as string;
  };
  const look = async (id: string) => (await stage.call('GET', `/api/v1/messages/${id}`)).body.data;
  const waiting = async (id: string) =>
    await until(async () => {
      const message = await look(id);
      return message.waitingFor && message;
    });

  const tooSoon = await waiting(await send('+15551238001'));
  t.match(tooSoon, { state: 'queued', waitingFor: { code: 'PAIR_LIMIT' } });
  t.ok(Math.abs(tooSoon.waitingFor.untilMs - untilMs) < 60_000);
  t.match(tooSoon.timeline.at(-1), { state: 'queued', cause: 'waits', code: 'PAIR_LIMIT', detail: /person/ });
  const listed = await stage.call('GET', '/api/v1/messages?state=queued');
  t.match(listed.body.data.items, [{ id: tooSoon.id, waitingFor: { code: 'PAIR_LIMIT' } }]);

  await stage.call('PATCH', `/api/v1/senders/${senderId}`, { state: 'paused' });
  const paused = await waiting(await send('+15551238002'));
  t.match(paused.waitingFor, { code: 'NUMBER_PAUSED' });
  await stage.call('PATCH', `/api/v1/senders/${senderId}`, { state: 'active' });
  await stage.simulator.waitForAccepted(({ messageId }) => messageId === paused.id, 30_000);
  const gone = await until(async () => {
    const message = await look(paused.id);
    return message.state !== 'queued' && message.state !== 'sending' && message;
  });
  t.equal(gone.waitingFor, null, 'one that has gone waits for nothing');
  t.notOk(gone.timeline.some(({ cause }: { cause: string }) => cause === 'waits'));
});
