import { checkPayload, type JobToAdd } from '@switchyard/jobs';
import t from 'tap';
import { createUnroutedAlerts } from '../../src/intake/create-unrouted-alerts.ts';

type Group = { kind: string; reason: string; events: number };
const WINDOW_MS = 15 * 60_000;

/** Alerts over groups by window, with a queue that can be away. */
function startAlerts(groups: Map<number, Group[]>) {
  const added: JobToAdd[] = [];
  const queue = { isAway: false, breaks: 0 };
  const create = () =>
    createUnroutedAlerts({
      unrouted: { count: async (fromMs) => groups.get(fromMs / WINDOW_MS) ?? [] },
      producer: {
        async add(job) {
          if (queue.isAway) throw new Error('away');
          checkPayload(job.queue, job.name, job.payload);
          added.push(job);
          return { jobId: '' };
        },
        link: { breaks: () => queue.breaks, prove: async () => {} },
      },
    });
  return { added, queue, create };
}

t.test(
  'operators are told once per kind, reason and quarter of an hour, however many events there are',
  async (t) => {
    const now = Math.floor(Date.now() / WINDOW_MS);
    const malformed = { kind: 'whatsapp', reason: 'malformed-message', events: 7 };
    const disabled = { kind: 'shopify', reason: 'source-disabled', events: 1 };
    const groups = new Map([[now, [malformed]]]);
    const { added, queue, create } = startAlerts(groups);
    const alerts = create();
    for (let round = 0; round < 3; round++) await alerts.run();
    t.match(added, [
      {
        queue: 'notifications',
        name: 'send-notification',
        payload: {
          key: 'unrouted_whatsapp_malformed-message',
          severity: 'warning',
          title: 'Events of whatsapp are kept unrouted: malformed-message',
          body: /^7 since .*replay/,
        },
      },
    ]);
    groups.set(now, [{ ...malformed, events: 70_000 }, disabled]);
    await alerts.run();
    t.match(added.slice(1), [{ payload: { key: 'unrouted_shopify_source-disabled', severity: 'info' } }]);
    queue.breaks++;
    await alerts.run();
    await alerts.run();
    t.equal(added.length, 4, 'a queue that died may have forgotten them: told once more');
  },
);

t.test(
  'what an earlier process kept and did not tell is told, under the same id by every replica',
  async (t) => {
    const last = Math.floor(Date.now() / WINDOW_MS) - 1;
    const groups = new Map([[last, [{ kind: 'custom', reason: 'not-json', events: 1 }]]]);
    const { added, queue, create } = startAlerts(groups);
    queue.isAway = true;
    const one = create();
    await t.rejects(one.run(), { message: 'away' });
    queue.isAway = false;
    await one.run();
    await create().run();
    const ids = added.map(({ payload }) => (payload as { notificationId: string }).notificationId);
    t.equal(ids.length, 2);
    t.equal(new Set(ids).size, 1);
  },
);
