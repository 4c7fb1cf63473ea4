import { eachDatabase, silentLogger } from '@switchyard/test-kit';
import fc from 'fast-check';
import t from 'tap';
import { buildApp, loadServiceConfig } from '../../src/index.ts';
import { priorityOf } from '../../src/messages/outgoing-message.ts';
import { laneRules, lanes } from '../../src/pacing/lanes.ts';
import { findDue } from '../../src/sending/find-due.ts';
import { startSurroundings } from '../helper.ts';
import { fillBacklog, fillNumbers, fillPeople, senderIdOf } from '../load/fill-tables.ts';

const NUMBERS = 4;
const MESSAGES = 60;
const NOW_MS = 1_800_000_000_000;

/** What becomes of each message before it is looked for; those beyond the list have gone. */
const place = fc.record({
  number: fc.nat({ max: NUMBERS - 1 }),
  lane: fc.constantFrom(...lanes),
  inMs: fc.integer({ min: -20, max: 5 }),
  isClaimed: fc.boolean(),
});
const quota = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 80 }));

void eachDatabase(
  t,
  'of each number as many are found as it may have, the first of each lane, whatever waits in which lane',
  async (t, database) => {
    const around = await startSurroundings(t, database);
    const service = await buildApp(loadServiceConfig(around.env), { logger: silentLogger() });
    t.teardown(() => service.close());
    const { db } = service.database;
    await fillNumbers(db, around.env, NUMBERS, 10);
    await fillPeople(db, NUMBERS, NUMBERS);
    await fillBacklog(db, { count: MESSAGES, people: NUMBERS, numbers: NUMBERS });
    const ids = Array.from({ length: MESSAGES }, (_, index) => `m_backlog_${index}`);

    const check = async (
      places: { number: number; lane: (typeof lanes)[number]; inMs: number; isClaimed: boolean }[],
      quotas: number[],
    ) => {
      const rows = places.map(({ number, lane, inMs, isClaimed }, index) => ({
        id: ids[index]!,
        senderId: senderIdOf(number),
        priority: priorityOf(lane),
        lane,
        nextAttemptAtMs: NOW_MS + inMs + (isClaimed ? 60_000 : 0),
      }));
      await db.updateTable('messages').set({ state: 'accepted', nextAttemptAtMs: null }).execute();
      for (const { id, senderId, priority, nextAttemptAtMs } of rows)
        await db
          .updateTable('messages')
          .set({ state: 'queued', senderId, priority, nextAttemptAtMs })
          .where('id', '=', id)
          .execute();
      const asked = quotas.map((messages, index) => ({ senderId: senderIdOf(index), messages }));
      const { messages, nextAtMs } = await findDue(db, asked, NOW_MS, () => 1);
      t.equal(new Set(messages.map(({ id }) => id)).size, messages.length, 'none is found twice');
      for (const { senderId, messages: most } of asked) {
        const mine = rows.filter((row) => row.senderId === senderId);
        const due = mine.filter(({ nextAttemptAtMs }) => nextAttemptAtMs <= NOW_MS);
        const found = messages.filter((message) => message.senderId === senderId);
        t.equal(found.length, Math.min(most, due.length), 'as many as there are, no more than it may have');
        for (const lane of lanes) {
          const times = (of: { id: string }[]) =>
            rows.filter((row) => of.some(({ id }) => id === row.id)).map((row) => row.nextAttemptAtMs);
          const laneDue = due.filter((row) => row.lane === lane).map((row) => row.nextAttemptAtMs);
          const laneFound = times(found.filter(({ priority }) => priority === priorityOf(lane)));
          t.strictSame(
            laneFound.toSorted((a, b) => a - b),
            laneDue.toSorted((a, b) => a - b).slice(0, laneFound.length),
            'the first of the lane',
          );
          const least = lane === 'transactional' ? most : Math.floor(most * laneRules[lane].share);
          const owed = lanes
            .slice(1)
            .reduce(
              (sum, other) => sum + (other === lane ? 0 : Math.floor(most * laneRules[other].share)),
              0,
            );
          const wanted = lane === 'transactional' ? least - owed : least;
          t.ok(laneFound.length >= Math.min(wanted, laneDue.length), 'no lane has less than its share');
        }
        const later = mine.filter(({ nextAttemptAtMs }) => nextAttemptAtMs > NOW_MS);
        const next = Math.min(...later.map(({ nextAttemptAtMs }) => nextAttemptAtMs));
        const expected = found.length < most && later.length > 0 ? next : undefined;
        t.equal(nextAtMs.get(senderId), expected, 'it is known when the next is due');
      }
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(place, { maxLength: MESSAGES }),
        fc.array(quota, { minLength: 1, maxLength: NUMBERS }),
        check,
      ),
      { numRuns: 40 },
    );
    // Each lane of one number has more than are looked up one by one.
    await check(
      ids.map((_, index) => ({ number: 0, lane: lanes[index % 3]!, inMs: -index, isClaimed: false })),
      [50, 1],
    );
    t.strictSame(await findDue(db, [], NOW_MS), { messages: [], nextAtMs: new Map() });
  },
);
