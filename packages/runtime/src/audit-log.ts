import { columnKinds, type Database, ensureIndex, type Migration } from '@switchyard/database';
import type { AuditEntry, AuditSink } from '@switchyard/service-kit';
import type { Kysely } from 'kysely';

/** One mutation through a service's API. */
export interface AuditLogTable {
  id: string;
  merchantId: string | null;
  subject: string | null;
  homeMerchantId: string | null;
  method: string;
  route: string;
  params: string;
  status: number;
  outcome: string;
  requestId: string;
  correlationId: string;
  address: string;
  atMs: number;
}

export interface AuditTables {
  auditLog: AuditLogTable;
}

/** Makes the table of the audit log. */
export const auditLogMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('auditLog')
      .ifNotExists()
      .addColumn('id', column.id, (each) => each.primaryKey())
      .addColumn('merchantId', column.id)
      .addColumn('subject', column.id)
      .addColumn('homeMerchantId', column.id)
      .addColumn('method', column.text(16), (each) => each.notNull())
      .addColumn('route', column.id, (each) => each.notNull())
      .addColumn('params', column.longText, (each) => each.notNull())
      .addColumn('status', column.integer, (each) => each.notNull())
      .addColumn('outcome', column.text(16), (each) => each.notNull())
      .addColumn('requestId', column.id, (each) => each.notNull())
      .addColumn('correlationId', column.id, (each) => each.notNull())
      .addColumn('address', column.text(64), (each) => each.notNull())
      .addColumn('atMs', column.timestampMs, (each) => each.notNull())
      .execute();
    await ensureIndex(db, { name: 'auditLogByTime', table: 'auditLog', columns: ['merchantId', 'atMs'] });
  },
};

/** For how long mutations can be looked up. */
const RETENTION_MS = 400 * 24 * 3600 * 1000;
const PURGE_BATCH = 1000;

/** The audit log of one service. */
export interface AuditLog extends AuditSink {
  /** Removes what is older than the retention, a batch at a time. */
  purge(): Promise<void>;
}

/**
 * Keeps the audit log in the service's own database. Entries that arrive while one insert is under way go into the next one
 * together, so that a busy API costs few statements.
 */
export function createAuditLog(database: Database<AuditTables>, createId: () => string): AuditLog {
  const waiting: AuditLogTable[] = [];
  let flush: Promise<void> | undefined;

  async function writeWaiting(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, 200);
      await database.db.insertInto('auditLog').values(batch).execute();
    }
  }

  return {
    record(entry) {
      waiting.push(toRow(entry, createId()));
      flush ??= Promise.resolve()
        .then(writeWaiting)
        .finally(() => {
          flush = undefined;
        });
      return flush;
    },
    async purge() {
      const before = Date.now() - RETENTION_MS;
      const old = await database.db
        .selectFrom('auditLog')
        .select('id')
        .where('atMs', '<', before)
        .orderBy('atMs')
        .limit(PURGE_BATCH)
        .execute();
      if (old.length === 0) return;
      await database.db
        .deleteFrom('auditLog')
        .where(
          'id',
          'in',
          old.map((row) => row.id),
        )
        .execute();
    },
  };
}

function toRow(entry: AuditEntry, id: string): AuditLogTable {
  return {
    id,
    merchantId: entry.merchantId ?? null,
    subject: entry.subject ?? null,
    homeMerchantId: entry.homeMerchantId ?? null,
    method: entry.method,
    route: entry.route.slice(0, 191),
    params: JSON.stringify(entry.params),
    status: entry.status,
    outcome: entry.outcome,
    requestId: entry.requestId,
    correlationId: entry.correlationId,
    address: entry.address,
    atMs: entry.atMs,
  };
}
