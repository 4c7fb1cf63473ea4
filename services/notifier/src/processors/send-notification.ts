import { type Database, insertIgnore } from '@switchyard/database';
import type { JobPayload, Processor } from '@switchyard/jobs';
import type { NotifierTables } from '../database/tables.ts';

const level = { info: 'info', warning: 'warn', critical: 'error' } as const;

/**
 * Tells the operators: a line in the log that alerting can act on, and a row that the API lists.
 *
 * Twice is harmless: the row's key is the notification's id.
 */
export function createSendNotification(deps: {
  database: Database<NotifierTables>;
}): Processor<JobPayload<'notifications', 'send-notification'>> {
  const { database } = deps;
  return async ({ notificationId, merchantId, key, severity, title, body, occurredAtMs }, { logger }) => {
    const row = {
      id: notificationId,
      merchantId: merchantId ?? null,
      key,
      severity,
      title,
      body: body ?? null,
      occurredAtMs,
      recordedAtMs: Date.now(),
    };
    const inserted = await insertIgnore(database.db, database.dialect, 'notifications', [row], ['id']);
    if (inserted > 0) logger[level[severity]]({ notificationId, merchantId, key, severity }, title);
  };
}
