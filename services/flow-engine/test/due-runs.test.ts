import { eachDatabase, silentLogger, until } from '@switchyard/test-kit';
import t from 'tap';
import type { InboxTable } from '../src/database/tables.ts';
import { resumeDueRuns } from '../src/runs/resume-due-runs.ts';
import { message, phoneOf, sentTexts, settled, startEngine } from './helper.ts';

const REMINDERS = 150;

const reminder = {
  name: 'Reminder',
  triggers: [{ kind: 'keyword', words: ['remind me'] }],
  start: 'wait',
  nodes: {
    wait: { kind: 'wait', seconds: 86_400, next: 'say' },
    say: { kind: 'send', text: 'It is time', next: 'end' },
    end: { kind: 'end' },
  },
};
const chat = {
  name: 'Chat',
  gatherSeconds: 60,
  triggers: [{ kind: 'keyword', words: ['hi'] }],
  start: 'say',
  nodes: { say: { kind: 'send', text: 'Hi!', next: 'end' }, end: { kind: 'end' } },
};

await eachDatabase(
  t,
  'of runs that are due, those that answer a person go first, and each is resumed once',
  async (t, database) => {
    const engine = await startEngine(t, database);
    await engine.publish(reminder);
    await engine.publish(chat);
    const people = Array.from({ length: REMINDERS }, (_, index) => `con_${index + 1}`);
    await Promise.all(people.map((contact) => engine.tell(message(contact, 1, 'remind me'))));
    await engine.tell(message('con_999', 1, 'hi'));
    await settled(engine);

    const { database: sql, outbox, leases } = engine.runtime;
    // All are due at once; the question of con_999 came last. The engine itself must not take them from under the test.
    const lease = await until(() => leases.acquire('due-runs', { owner: 'test', ttlMs: 60_000 }), {
      what: 'the engine to be between two looks',
    });
    const now = Date.now();
    await sql.db
      .updateTable('runs')
      .set({ dueAtMs: now - 5000 })
      .where('waitKind', '=', 'time')
      .execute();
    await sql.db
      .updateTable('runs')
      .set({ dueAtMs: now - 1 })
      .where('waitKind', '=', 'gather')
      .execute();
    await leases.release(lease);
    const taken: { row: InboxTable; isBackground: boolean }[] = [];
    const stop = new AbortController();
    await until(
      async () => {
        await resumeDueRuns(
          {
            database: sql,
            outbox,
            leases,
            owner: 'test',
            logger: silentLogger(),
            async takeIn(row, _signal, { isBackground = false } = {}) {
              taken.push({ row, isBackground });
              stop.abort();
            },
          },
          stop.signal,
        );
        return taken.length > 0 || (await sentTexts(engine)).size > 0;
      },
      { what: 'the first look' },
    );
    // Whoever looked first, the test or the engine: the answer is among the first.
    if (taken.length > 0) {
      t.match(taken[0], { row: { contactId: 'con_999' }, isBackground: false });
      t.ok(
        taken.slice(1).every((each) => each.isBackground),
        'reminders go behind live traffic',
      );
    } else t.ok((await sentTexts(engine)).has(phoneOf('con_999')));

    // What the test has taken and not applied is claimed again by the engine.
    await sql.db.updateTable('runs').set({ dueAtMs: now }).where('status', '=', 'waiting').execute();
    await until(async () => (await sentTexts(engine)).size === REMINDERS + 1, {
      what: 'everyone to be told',
      timeoutMs: 60_000,
      intervalMs: 100,
    });
    await settled(engine);
    const sent = await sentTexts(engine);
    t.same(sent.get(phoneOf('con_999')), ['Hi!']);
    t.ok(people.every((contact) => sent.get(phoneOf(contact))?.length === 1));
  },
);
