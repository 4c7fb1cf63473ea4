import { type Database, insertIgnore, type SecretBox } from '@switchyard/database';
import type { JobPayload } from '@switchyard/jobs';
import type { IngressTables } from '../database/tables.ts';

/** The record of erasures: who asked for what, and which owners have done their part. */
export interface Erasures {
  record(erasure: JobPayload<'control', 'erase-person'>): Promise<void>;
  acknowledge(acknowledgement: JobPayload<'control', 'acknowledge-erasure'>): Promise<void>;
}

/** Creates the record. Identifiers are sealed: the record of an erasure must not be where the person can still be found. */
export function createErasures(settings: {
  database: Database<IngressTables>;
  secretBox: SecretBox;
}): Erasures {
  const { database, secretBox } = settings;
  const { db, dialect } = database;
  return {
    async record({ erasureId, merchantId, identifiers, requestedAtMs }) {
      const sealedIdentifiers = secretBox.seal(JSON.stringify(identifiers), erasureContext(erasureId));
      const row = { id: erasureId, merchantId, sealedIdentifiers, requestedAtMs, recordedAtMs: Date.now() };
      await insertIgnore(db, dialect, 'erasures', [row], ['id']);
    },
    async acknowledge({ erasureId, merchantId, owner, erasedRecords, completedAtMs }) {
      const row = { erasureId, merchantId, owner: owner.slice(0, 64), erasedRecords, completedAtMs };
      await insertIgnore(db, dialect, 'erasure_acknowledgements', [row], ['erasureId', 'owner']);
    },
  };
}

/** What sealed identifiers are bound to. */
export function erasureContext(erasureId: string): string {
  return `ingress.erasures:${erasureId}`;
}
