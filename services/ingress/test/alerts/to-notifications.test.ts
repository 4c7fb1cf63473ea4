import { checkPayload } from '@switchyard/jobs';
import fc from 'fast-check';
import t from 'tap';
import { toNotifications } from '../../src/alerts/to-notifications.ts';
import { alertsWebhook } from '../fixtures/alerts.ts';

t.test('one notification per alert, as one can read here', async (t) => {
  t.match(toNotifications(alertsWebhook, 1), [
    {
      notificationId: /^evt_/,
      key: /^alert_[0-9a-f]{32}$/,
      severity: 'critical',
      title: 'RedisMemoryHigh: Redis is nearly full',
      body: 'The queue Redis uses 91 % of its memory.',
      occurredAtMs: 1_763_660_000_000,
    },
    { severity: 'info', title: 'Resolved: QueueDepth', occurredAtMs: 1_763_658_600_000 },
  ]);
});

t.test(
  'an alert that still fires is the same notification; resolved, or firing anew, it is another',
  async (t) => {
    const [alert] = alertsWebhook.alerts;
    const idOf = (over: object) =>
      toNotifications({ alerts: [{ ...alert, ...over }] }, 1)?.[0]?.notificationId;
    t.equal(idOf({}), idOf({ annotations: { summary: 'Reworded' } }));
    t.not(idOf({}), idOf({ status: 'resolved' }));
    t.not(idOf({}), idOf({ startsAt: '2025-11-21T00:00:00Z' }));
  },
);

t.test('property: JSON of any shape is none, or notifications that the contract takes', async (t) => {
  const label = fc.oneof(fc.string(), fc.jsonValue({ maxDepth: 1 }));
  const alert = fc.record(
    {
      status: label,
      labels: fc.record({ alertname: label, severity: label }, { requiredKeys: [] }),
      annotations: fc.record({ summary: label, description: label }, { requiredKeys: [] }),
      startsAt: label,
      endsAt: label,
      fingerprint: label,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.oneof(fc.record({ alerts: fc.array(fc.oneof(alert, fc.jsonValue())) }), fc.jsonValue()),
      (each) => {
        for (const payload of toNotifications(each, 1) ?? [])
          checkPayload('notifications', 'send-notification', payload);
      },
    ),
  );
  t.pass();
});
