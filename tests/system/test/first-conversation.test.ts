import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { converse } from './system/converse.ts';
import { startEventReceiver } from './system/receive-events.ts';
import { startSystem } from './system/start-system.ts';
import { subscribe } from './system/subscribe.ts';

interface Listed {
  items: { id: string; state: string; direction: string }[];
}

await eachDatabase(
  t,
  'a first conversation: hello, a question, an answer, a reply; each read, and told to the merchant by signed events',
  async (t, database) => {
    const system = await startSystem(t, { database });
    const { simulator } = system;
    const receiver = await startEventReceiver(t);
    await subscribe(system, receiver);

    const { transcript, questionMs } = await converse(simulator, '15550001001');
    t.equal(transcript.length, 2);
    t.match(transcript[0], /^Hello Ada/);
    t.match(transcript[1], /order number/);
    t.comment(`the question came after ${Math.round(questionMs)} ms`);

    await until(
      async () => {
        const { items } = await system.api<Listed>('campaign-sender', '/api/v1/messages?direction=out');
        return items.length === 2 && items.every(({ state }) => state === 'read');
      },
      { timeoutMs: 10_000, what: 'both messages are read' },
    );
    const { items } = await system.api<Listed>('campaign-sender', '/api/v1/messages');
    t.same(items.map(({ direction }) => direction).toSorted(), ['in', 'in', 'out', 'out']);
    // A busy machine may apply an earlier receipt after the last one.
    for (const { id } of items.filter(({ direction }) => direction === 'out'))
      for (const wanted of ['queued', 'sending', 'accepted', 'sent', 'delivered', 'read'])
        t.ok(
          await until(async () => {
            const { timeline } = await system.api<{ timeline: { state: string }[] }>(
              'campaign-sender',
              `/api/v1/messages/${id}`,
            );
            return timeline.some(({ state }) => state === wanted);
          }),
          `its timeline tells that it was ${wanted}`,
        );

    const expected: Record<string, number> = {
      'message.received': 2,
      'message.read': 2,
      'flow.finished': 1,
    };
    const count = () =>
      [...receiver.events.values()].reduce<Record<string, number>>((counts, { type }) => {
        counts[type] = (counts[type] ?? 0) + 1;
        return counts;
      }, {});
    await until(() => Object.entries(expected).every(([type, wanted]) => count()[type] === wanted), {
      what: 'the merchant has every event',
    }).catch(() => undefined);
    // What a busy machine applies after a later receipt of the message says nothing new, and is not told.
    const { 'message.sent': sent = 0, 'message.delivered': delivered = 0, ...told } = count();
    t.same(told, expected, 'the merchant got each event once');
    t.ok(sent <= 2 && delivered <= 2, 'and was not told twice that a message was sent or delivered');
    t.equal(receiver.refused, 0, 'all of them correctly signed');
    t.same(simulator.repeats(), [], 'nothing was sent twice');
  },
);
