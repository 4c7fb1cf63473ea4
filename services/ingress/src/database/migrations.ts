import type { Migration } from '@switchyard/database';
import { archiveMigration } from './archive-migration.ts';
import { eventsMigration } from './events-migration.ts';
import { merchantsMigration } from './merchants-migration.ts';
import { privacyMigration } from './privacy-migration.ts';
import { recoveryMigration } from './recovery-migration.ts';
import { signaturesMigration } from './signatures-migration.ts';
import { wideningMigration } from './widening-migration.ts';

/** The migrations of ingress, in order. */
export const migrations: Record<string, Migration> = {
  'ingress-001-merchants': merchantsMigration,
  'ingress-002-events': eventsMigration,
  'ingress-003-widening': wideningMigration,
  'ingress-004-signatures': signaturesMigration,
  'ingress-005-archive': archiveMigration,
  'ingress-006-privacy': privacyMigration,
  'ingress-007-recovery': recoveryMigration,
};
