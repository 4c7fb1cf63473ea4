import { eachDatabase, silentLogger } from '@switchyard/test-kit';
import t from 'tap';
import { fireSchedules } from '../src/schedules/fire-schedules.ts';
import { type Engine, jobsIn, settled, startEngine } from './helper.ts';

const end = { kind: 'end' };

/** What was asked of `contacts`, once the outbox has passed it on. */
async function requested(engine: Engine) {
  await settled(engine);
  return jobsIn(engine, 'contacts');
}
const HOUR_MS = 3_600_000;

const scheduled = (cron: string) => ({
  name: 'Weekly',
  timeZone: 'Europe/Berlin',
  triggers: [{ kind: 'schedule', cron, audience: { tag: 'news' }, input: { topic: 'offers' } }],
  start: 'a',
  nodes: { a: { kind: 'send', text: 'News', next: 'end' }, end },
});

eachDatabase(
  t,
  'a schedule fires at its time in its zone, once on all replicas, and not for an old version',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const flowId = await engine.publish(scheduled('0 9 * * MON'));
    const { runtime } = engine;
    const { db } = runtime.database;
    const row = await db.selectFrom('schedules').selectAll().executeTakeFirstOrThrow();
    const local = new Intl.DateTimeFormat('en-GB', {
      timeZone: 'Europe/Berlin',
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
    });
    t.equal(local.format(row.nextAtMs).replace(',', ''), 'Mon 09:00');

    const { database: sql, outbox, leases } = runtime;
    const fireAt = (nowMs: number, owner: string) =>
      fireSchedules({ database: sql, outbox, leases, owner, logger: silentLogger(), now: () => nowMs });
    t.equal(await fireAt(row.nextAtMs - 1, 'a'), 0);
    const fired = await Promise.all(['a', 'b', 'c'].map((owner) => fireAt(row.nextAtMs + 5, owner)));
    t.equal(
      fired.reduce((sum, count) => sum + count),
      1,
    );
    t.equal(await fireAt(row.nextAtMs + 10, 'a'), 0);
    const requests = await requested(engine);
    t.match(requests, [
      {
        name: 'request-run',
        payload: { flowId, tag: 'news', input: { topic: 'offers', scheduledAtMs: row.nextAtMs } },
      },
    ]);
    const { nextAtMs } = await db.selectFrom('schedules').selectAll().executeTakeFirstOrThrow();
    t.ok(nextAtMs - row.nextAtMs >= 7 * 24 * HOUR_MS - HOUR_MS, 'a week later');
    t.equal(await fireAt(nextAtMs + 2 * HOUR_MS, 'a'), 0, 'what was missed for long is left out');

    await engine.call('PUT', `/api/v1/flows/${flowId}/draft`, { definition: scheduled('30 7 1 * *') });
    await engine.call('POST', `/api/v1/flows/${flowId}/publish`);
    const changed = await db.selectFrom('schedules').selectAll().execute();
    t.equal(changed.length, 1);
    t.match(changed[0]?.settings, '30 7 1 * *');
    await engine.call('POST', `/api/v1/flows/${flowId}/archive`);
    t.strictSame(await db.selectFrom('schedules').selectAll().execute(), []);
  },
);

eachDatabase(t, 'the API starts a flow that lets it, with what the flow declares', async (t, database) => {
  const engine = await startEngine(t, database);
  const definition = {
    name: 'Reminder',
    inputs: { order: { type: 'text', required: true }, days: { type: 'number', default: 3 } },
    triggers: [{ kind: 'api' }],
    start: 'a',
    nodes: { a: { kind: 'send', text: '{{ input.order }} in {{ input.days }}', next: 'end' }, end },
  };
  const flowId = await engine.publish(definition);
  const url = `/api/v1/flows/${flowId}/runs`;
  for (const [body, code, field] of [
    [{ contactId: 'con_1' }, 'RUN_INPUT_INVALID', 'order'],
    [{ contactId: 'con_1', input: { order: '1', days: 'many' } }, 'RUN_INPUT_INVALID', 'days'],
    [{ contactId: 'con_1', input: { order: '1', more: 1 } }, 'RUN_INPUT_INVALID', 'more'],
    [{ input: { order: '1' } }, 'RUN_TARGET_INVALID', 'contactId'],
    [{ contactId: 'con_1', tag: 'x', input: { order: '1' } }, 'RUN_TARGET_INVALID', 'tag'],
  ] as const) {
    const { status, error } = await engine.call('POST', url, body);
    t.equal(error.code, code);
    t.ok(status >= 400 && status < 500);
    t.match(error.message, field);
  }
  const other = await engine.publish({ ...definition, triggers: [] });
  const refused = await engine.call('POST', `/api/v1/flows/${other}/runs`, {
    contactId: 'con_1',
    input: { order: '1' },
  });
  t.equal(refused.error.code, 'FLOW_NOT_STARTABLE');
  const body = { to: '+15550000001', input: { order: '#17' }, startId: 'order-17' };
  const first = await engine.call('POST', url, body);
  const again = await engine.call('POST', url, body);
  t.equal(first.status, 202);
  t.strictSame(first.data, again.data);
  const requests = await requested(engine);
  t.equal(requests.length, 1, 'the same startId is the same request');
  t.match(requests[0], {
    name: 'request-run',
    payload: { flowId, to: '+15550000001', input: { order: '#17' } },
  });
});
