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

await eachDatabase(
  t,
  'a run whose row is broken fails with its reason, and those that are due with it are resumed',
  async (t, database) => {
    const engine = await startEngine(t, database);
    await engine.publish(reminder);
    const people = Array.from({ length: 40 }, (_, index) => `con_${index + 1}`);
    await Promise.all(people.map((contact) => engine.tell(message(contact, 1, 'remind me'))));
    await settled(engine);
    const { db } = engine.runtime.database;
    const broken = ['con_7', 'con_19'];
    const due = { dueAtMs: Date.now() - 1000 };
    await engine.runtime.database.transaction(async (trx) => {
      await trx.updateTable('runs').set(due).execute();
      await trx.updateTable('runs').set({ state: '{"no' }).where('contactId', 'in', broken).execute();
      // As one that waits for a call it would be looked at before it is resumed, too.
      await trx.updateTable('runs').set({ waitKind: 'call' }).where('contactId', '=', 'con_19').execute();
    });
    const failed = () =>
      db.selectFrom('runs').select(['contactId', 'reason']).where('status', '=', 'failed').execute();
    await until(
      async () =>
        (await sentTexts(engine)).size === people.length - broken.length &&
        (await failed()).length === broken.length,
      { what: 'everybody else to be told', timeoutMs: 60_000, intervalMs: 100 },
    );
    await settled(engine);
    const sentTo = await sentTexts(engine);
    const runs = await failed();
    t.same(runs.map(({ contactId }) => contactId).sort(), ['con_19', 'con_7']);
    t.ok(runs.every(({ reason }) => reason !== null && reason.length > 0));
    t.notOk(broken.some((contact) => (sentTo.get(phoneOf(contact))?.length ?? 0) > 0));
  },
);
