import { isUtf8 } from 'node:buffer';
import type { JobMeta } from '@switchyard/jobs';
import type { EventIntake, EventToQueue, IntakeResult } from '../intake/create-event-intake.ts';
import { parseExact } from '../whatsapp/parse-exact.ts';
import { toNotificationJob, toNotifications } from './to-notifications.ts';

const KIND = 'alertmanager';

/** Takes Alertmanager's webhooks in. */
export interface AlertIntake {
  /** @throws CodedError PAYLOAD_MALFORMED (400); QUEUE_UNAVAILABLE, QUEUE_FULL, DATABASE_AWAY (503). */
  take(body: Buffer, meta: JobMeta): Promise<IntakeResult>;
}

/** Creates the intake of alerts. Who may send them has been settled before. */
export function createAlertIntake(intake: EventIntake): AlertIntake {
  return {
    async take(body, meta) {
      const startedAtMs = performance.now();
      const kept = isUtf8(body) ? body.toString('utf8') : body;
      const keep = (reason: string) => ({ kind: KIND, reason, appId: KIND, body: kept });
      const parsed = parseExact(body);
      if (!parsed.ok) return intake.refuse(keep(parsed.problem), startedAtMs);
      const notifications = toNotifications(parsed.value, Date.now());
      if (!notifications) return intake.refuse(keep('no-alerts'), startedAtMs);
      const events = new Map<string, EventToQueue>();
      for (const each of notifications)
        events.set(each.notificationId, {
          jobs: () => [toNotificationJob(each, meta)],
          occurredAtMs: undefined,
          toKept: keep,
        });
      // Alerts are no merchant's data; Alertmanager sends them again as long as they fire. That we have seen one does not mean that
      // the queue still knows it: only the queue and its consumer decide what is a repeat.
      const rest = { archive: () => [], skipsSeen: true, startedAtMs };
      return intake.take({ events, toKeep: [], repeated: notifications.length - events.size, ...rest });
    },
  };
}
