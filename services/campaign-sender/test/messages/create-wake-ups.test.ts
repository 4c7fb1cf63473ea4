import fc from 'fast-check';
import t from 'tap';
import { createWakeUps, MESSAGES_PER_JOB, type WantedMessage } from '../../src/messages/create-wake-ups.ts';

const wanted = fc
  .array(
    fc.record({
      merchantId: fc.constantFrom('a', 'b', 'a b'),
      priority: fc.constantFrom(1, 4, 7),
      turn: fc.nat(5),
    }),
    { maxLength: 200 },
  )
  .map((list) => list.map((each, index): WantedMessage => ({ ...each, id: `m${index}` })));

t.test(
  'every message is in one job, with its own kind, in its order, and no job is longer than said',
  (t) => {
    fc.assert(
      fc.property(wanted, fc.integer({ min: 1, max: 30 }), (messages, most) => {
        const jobs = createWakeUps(most)(messages, { correlationId: 'c' });
        const told = jobs.flatMap((job) => {
          if (job.name !== 'deliver-messages') throw new Error(job.name);
          const { merchantId, messages: list } = job.payload;
          if (list.length === 0 || list.length > most) throw new Error(`${list.length} in a job`);
          if (job.meta?.merchantId !== merchantId || job.meta.correlationId !== 'c') throw new Error('meta');
          return list.map(({ messageId, turn }) => ({
            id: messageId,
            merchantId,
            turn,
            priority: job.options?.priority,
          }));
        });
        const kindOf = ({ merchantId, priority }: { merchantId: string; priority?: number | undefined }) =>
          JSON.stringify([merchantId, priority]);
        const expected = Map.groupBy(messages, kindOf);
        const found = Map.groupBy(told, kindOf);
        if (expected.size !== found.size) throw new Error('kinds');
        for (const [kind, list] of expected)
          if (
            JSON.stringify(list.map(({ id, turn }) => [id, turn])) !==
            JSON.stringify(found.get(kind)?.map(({ id, turn }) => [id, turn]))
          )
            throw new Error(`${kind} differs`);
        // No more jobs than it takes.
        const least = [...expected.values()].reduce((sum, list) => sum + Math.ceil(list.length / most), 0);
        return jobs.length === least;
      }),
    );
    t.equal(
      createWakeUps()(
        Array.from({ length: 41 }, (_, at) => ({ id: `m${at}`, merchantId: 'a', turn: 0, priority: 1 })),
      ).length,
      Math.ceil(41 / MESSAGES_PER_JOB),
    );
    t.strictSame(createWakeUps()([]), []);
    t.end();
  },
);
