import { leasesMigration, type Migration } from '@switchyard/database';
import { failedJobsMigration, outboxMigration, processedJobsMigration } from '@switchyard/outbox';
import { auditLogMigration } from './audit-log.ts';

/** The tables that every service has beside its own. */
export const sharedMigrations: Record<string, Migration> = {
  'shared-0001-outbox': outboxMigration,
  'shared-0002-processed-jobs': processedJobsMigration,
  'shared-0003-failed-jobs': failedJobsMigration,
  'shared-0004-leases': leasesMigration,
  'shared-0005-audit-log': auditLogMigration,
};
