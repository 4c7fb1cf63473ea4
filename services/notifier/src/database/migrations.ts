import { columnKinds, ensureIndex, type Kysely, type Migration } from '@switchyard/database';

const createTables: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('endpoints')
      .ifNotExists()
      .addColumn('id', column.id, (each) => each.primaryKey())
      .addColumn('merchantId', column.id, (each) => each.notNull())
      .addColumn('url', column.text(2048), (each) => each.notNull())
      .addColumn('description', column.text(256), (each) => each.notNull())
      .addColumn('eventTypes', column.longText, (each) => each.notNull())
      .addColumn('state', column.text(16), (each) => each.notNull())
      .addColumn('stateReason', column.text(256))
      .addColumn('secretSealed', column.text(512), (each) => each.notNull())
      .addColumn('previousSecretSealed', column.text(512))
      .addColumn('previousSecretExpiresAtMs', column.timestampMs)
      .addColumn('createdAtMs', column.timestampMs, (each) => each.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (each) => each.notNull())
      .execute();
    await ensureIndex(db, { name: 'endpointsByMerchant', table: 'endpoints', columns: ['merchantId', 'id'] });

    await db.schema
      .createTable('deliveries')
      .ifNotExists()
      .addColumn('id', column.id, (each) => each.primaryKey())
      .addColumn('merchantId', column.id, (each) => each.notNull())
      .addColumn('endpointId', column.id, (each) => each.notNull())
      .addColumn('eventId', column.id, (each) => each.notNull())
      .addColumn('eventType', column.id, (each) => each.notNull())
      .addColumn('body', column.longText, (each) => each.notNull())
      .addColumn('state', column.text(16), (each) => each.notNull())
      .addColumn('attempts', column.integer, (each) => each.notNull())
      .addColumn('turn', column.integer, (each) => each.notNull())
      .addColumn('lastStatus', column.integer)
      .addColumn('lastError', column.text(512))
      .addColumn('createdAtMs', column.timestampMs, (each) => each.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (each) => each.notNull())
      .execute();
    await ensureIndex(db, {
      name: 'deliveriesByEvent',
      table: 'deliveries',
      columns: ['endpointId', 'eventId'],
      unique: true,
    });
    await ensureIndex(db, {
      name: 'deliveriesByMerchant',
      table: 'deliveries',
      columns: ['merchantId', 'id'],
    });
    await ensureIndex(db, {
      name: 'deliveriesByState',
      table: 'deliveries',
      columns: ['state', 'updatedAtMs'],
    });

    await db.schema
      .createTable('deliveryAttempts')
      .ifNotExists()
      .addColumn('deliveryId', column.id, (each) => each.notNull())
      .addColumn('attempt', column.integer, (each) => each.notNull())
      .addColumn('startedAtMs', column.timestampMs, (each) => each.notNull())
      .addColumn('durationMs', column.integer, (each) => each.notNull())
      .addColumn('status', column.integer)
      .addColumn('error', column.text(512))
      .addPrimaryKeyConstraint('deliveryAttemptsKey', ['deliveryId', 'attempt'])
      .execute();

    await db.schema
      .createTable('notifications')
      .ifNotExists()
      .addColumn('id', column.id, (each) => each.primaryKey())
      .addColumn('merchantId', column.id)
      .addColumn('key', column.id, (each) => each.notNull())
      .addColumn('severity', column.text(16), (each) => each.notNull())
      .addColumn('title', column.text(256), (each) => each.notNull())
      .addColumn('body', column.longText)
      .addColumn('occurredAtMs', column.timestampMs, (each) => each.notNull())
      .addColumn('recordedAtMs', column.timestampMs, (each) => each.notNull())
      .execute();
    await ensureIndex(db, { name: 'notificationsByTime', table: 'notifications', columns: ['recordedAtMs'] });

    await db.schema
      .createTable('subscriptionVersions')
      .ifNotExists()
      .addColumn('merchantId', column.id, (each) => each.primaryKey())
      .addColumn('version', column.integer, (each) => each.notNull())
      .execute();
  },
};

const createEmails: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('emails')
      .ifNotExists()
      .addColumn('id', column.id, (each) => each.primaryKey())
      .addColumn('merchantId', column.id, (each) => each.notNull())
      .addColumn('addressees', column.longText, (each) => each.notNull())
      .addColumn('subject', column.text(1024), (each) => each.notNull())
      .addColumn('text', column.longText)
      .addColumn('html', column.longText)
      .addColumn('replyTo', column.text(512))
      .addColumn('state', column.text(16), (each) => each.notNull())
      .addColumn('attempts', column.integer, (each) => each.notNull())
      .addColumn('turn', column.integer, (each) => each.notNull())
      .addColumn('lastError', column.text(512))
      .addColumn('createdAtMs', column.timestampMs, (each) => each.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (each) => each.notNull())
      .execute();
    await ensureIndex(db, { name: 'emailsByMerchant', table: 'emails', columns: ['merchantId', 'id'] });
    await ensureIndex(db, { name: 'emailsByState', table: 'emails', columns: ['state', 'updatedAtMs'] });
  },
};

/** The tables that notifier owns. */
export const migrations: Record<string, Migration> = {
  'notifier-0001-tables': createTables,
  'notifier-0002-emails': createEmails,
};
