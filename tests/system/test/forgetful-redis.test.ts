import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { answer, nthMessage, transcriptOf } from './system/converse.ts';
import { startSystem } from './system/start-system.ts';

interface Listed {
  items: unknown[];
}

t.setTimeout(240_000);

await eachDatabase(
  t,
  'a conversation goes through, and nothing is sent twice, though Redis forgot in its middle what it had acknowledged',
  async (t, database) => {
    const system = await startSystem(t, { database });
    const { simulator, redis } = system;
    const received = async () =>
      (await system.api<Listed>('campaign-sender', '/api/v1/messages?direction=in')).items.length;
    const runs = async () => (await system.api<unknown[]>('flow-engine', '/api/v1/runs')).length;

    // Each stage is one that SQL shows, so that what has led there may be forgotten: from here on no job but those of the outboxes is
    // needed. Whether these were added, or done, by the time of the death is as it happens.
    const stages: [after: string, reached: (phone: string, before: number) => Promise<unknown>][] = [
      ['hello was received', async (_, before) => (await received()) > before],
      ['the flow has decided', async (_, before) => (await runs()) > before],
      ['the question was sent', async (phone) => simulator.accepted({ to: phone }).length > 0],
    ];
    for (const [i, [after, reached]] of stages.entries()) {
      const phone = `1555000200${i}`;
      const before = i === 0 ? await received() : await runs();
      await redis.mark();
      simulator.inject({ from: phone, name: 'Ada', text: 'hello' });
      await until(() => reached(phone, before), { what: after, timeoutMs: 30_000 });
      await redis.forget();
      const question = await nthMessage(simulator, phone, 1, 60_000);
      answer(simulator, phone, question);
      await nthMessage(simulator, phone, 2, 60_000);
      const transcript = transcriptOf(simulator, phone);
      t.equal(transcript.length, 2, after);
      t.match(transcript[0], /^Hello Ada/);
      t.match(transcript[1], /order number/);
    }
    t.same(simulator.repeats(), [], 'nothing was sent twice');
  },
);
