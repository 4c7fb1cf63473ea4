import { hash } from 'node:crypto';
import type { JobMeta, JobPayload, JobToAdd } from '@switchyard/jobs';
import { DEDUPLICATION_TTL_MS } from '../intake/add-events.ts';
import { eventId } from '../intake/event-id.ts';
import { asObject, type JsonObject, readText } from '../whatsapp/read-json.ts';

type Notification = JobPayload<'notifications', 'send-notification'>;

/**
 * Reads Alertmanager's webhook (version 4): one notification per alert and change of its state, so that its repeats of an alert
 * that still fires stay silent.
 *
 * @returns undefined where it is none.
 */
export function toNotifications(payload: unknown, receivedAtMs: number): Notification[] | undefined {
  const root = asObject(payload);
  if (!root || !Array.isArray(root.alerts)) return undefined;
  const found: Notification[] = [];
  for (const each of root.alerts as unknown[]) {
    const alert = asObject(each);
    if (!alert) return undefined;
    found.push(toNotification(alert, receivedAtMs));
  }
  return found;
}

function toNotification(alert: JsonObject, receivedAtMs: number): Notification {
  const labels = asObject(alert.labels) ?? {};
  const annotations = asObject(alert.annotations) ?? {};
  const isResolved = alert.status === 'resolved';
  const name = readText(labels.alertname) ?? 'Alert';
  const identity = readText(alert.fingerprint) ?? hash('sha256', JSON.stringify(labels), 'hex');
  const startsAt = readText(alert.startsAt) ?? '';
  const endsAt = readText(alert.endsAt) ?? '';
  const summary = readText(annotations.summary);
  const body = readText(annotations.description) ?? summary;
  const title = `${isResolved ? 'Resolved: ' : ''}${name}${summary === undefined ? '' : `: ${summary}`}`;
  const occurredAtMs = Date.parse(isResolved ? endsAt : startsAt);
  return {
    notificationId: eventId('alertmanager', identity, isResolved ? 'resolved' : 'firing', startsAt),
    key: `alert_${hash('sha256', identity, 'hex').slice(0, 32)}`,
    severity: isResolved ? 'info' : severityOf(labels.severity),
    title: title.slice(0, 200),
    ...(body !== undefined && { body: body.slice(0, 10_000) }),
    occurredAtMs: Number.isSafeInteger(occurredAtMs) && occurredAtMs > 0 ? occurredAtMs : receivedAtMs,
  };
}

/** The words that alert rules use; an alert without one is worth a warning. */
function severityOf(label: unknown): Notification['severity'] {
  if (label === 'critical' || label === 'page' || label === 'error') return 'critical';
  return label === 'info' || label === 'none' ? 'info' : 'warning';
}

/** The job of a notification. */
export function toNotificationJob(payload: Notification, meta: JobMeta): JobToAdd {
  const options = { jobId: payload.notificationId, deduplicationTtlMs: DEDUPLICATION_TTL_MS };
  return { queue: 'notifications', name: 'send-notification', payload, options, meta };
}
