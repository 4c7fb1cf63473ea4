import { columnKinds, dialectOf, ensureColumn, ensureIndex, type Migration } from '@switchyard/database';
import { type Kysely, sql } from 'kysely';
import { fillTags } from './fill-tags.ts';

/** People in full: more identifiers, tags to find by, consent's history, merges, handover, files, held events. */
export const peopleMigration: Migration = {
  async up(db: Kysely<unknown>) {
    await widenContacts(db);
    await createHistory(db);
    await createLine(db);
    await fillTags(db);
    await sql`update contacts set ${sql.ref('lastInboundAtMs')} =
      (select max(c.${sql.ref('lastInboundAtMs')}) from conversations c where c.${sql.ref('contactId')} = contacts.id)
      where ${sql.ref('lastInboundAtMs')} is null`.execute(db);
  },
};

async function widenContacts(db: Kysely<unknown>): Promise<void> {
  const column = columnKinds(db);
  const add = (name: string, kind: Parameters<typeof ensureColumn>[3]) =>
    ensureColumn(db, 'contacts', name, kind);
  const addZero = (name: string, kind: Parameters<typeof ensureColumn>[3]) =>
    ensureColumn(db, 'contacts', name, kind, (c) => c.notNull().defaultTo(0));
  await add('email', column.id);
  await add('shopifyCustomerId', column.id);
  await add('externalId', column.id);
  await addZero('marketingOptedOut', column.flag);
  await add('changedAt', column.longText);
  await addZero('heldEvents', column.integer);
  await add('handler', column.text(16));
  await add('handlerUntilMs', column.timestampMs);
  await add('handlerUserId', column.id);
  await add('handlerReason', column.text(512));
  await add('handlerSinceMs', column.timestampMs);
  await add('lastInboundAtMs', column.timestampMs);
  await addZero('unreadCount', column.integer);
  await ensureIndex(db, {
    name: 'contacts_by_activity',
    table: 'contacts',
    columns: ['merchantId', 'lastInboundAtMs', 'id'],
  });
  await ensureColumn(db, 'suppressions', 'scope', column.text(16), (c) => c.notNull().defaultTo('all'));
  // The conversation is read in its order; nothing else reads a contact's messages.
  await ensureIndex(db, {
    name: 'messages_of_contact',
    table: 'messages',
    columns: ['contactId', 'createdAtMs', 'id'],
  });
  await dropIndex(db, 'messages', 'messages_by_contact');
}

async function createHistory(db: Kysely<unknown>): Promise<void> {
  const column = columnKinds(db);
  await db.schema
    .createTable('contact_tags')
    .ifNotExists()
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('tag', column.text(64), (c) => c.notNull())
    .addColumn('contactId', column.id, (c) => c.notNull())
    .addPrimaryKeyConstraint('contact_tags_key', ['merchantId', 'tag', 'contactId'])
    .execute();
  await ensureIndex(db, { name: 'tags_by_contact', table: 'contact_tags', columns: ['contactId'] });
  await db.schema
    .createTable('consent_history')
    .ifNotExists()
    .addColumn('id', column.id, (c) => c.primaryKey())
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('contactId', column.id, (c) => c.notNull())
    .addColumn('purpose', column.text(32), (c) => c.notNull())
    .addColumn('granted', column.flag, (c) => c.notNull())
    .addColumn('source', column.longText, (c) => c.notNull())
    .addColumn('decidedAtMs', column.timestampMs, (c) => c.notNull())
    .addColumn('recordedAtMs', column.timestampMs, (c) => c.notNull())
    .execute();
  await ensureIndex(db, {
    name: 'consent_history_by_contact',
    table: 'consent_history',
    columns: ['contactId', 'id'],
  });
  await db.schema
    .createTable('contact_merges')
    .ifNotExists()
    .addColumn('mergedId', column.id, (c) => c.primaryKey())
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('survivorId', column.id, (c) => c.notNull())
    .addColumn('cause', column.text(32), (c) => c.notNull())
    .addColumn('snapshot', column.longText, (c) => c.notNull())
    .addColumn('mergedAtMs', column.timestampMs, (c) => c.notNull())
    .execute();
  await ensureIndex(db, { name: 'merges_by_survivor', table: 'contact_merges', columns: ['survivorId'] });
  await db.schema
    .createTable('people_settings')
    .ifNotExists()
    .addColumn('merchantId', column.id, (c) => c.primaryKey())
    .addColumn('settings', column.longText, (c) => c.notNull())
    .addColumn('updatedAtMs', column.timestampMs, (c) => c.notNull())
    .execute();
}

async function createLine(db: Kysely<unknown>): Promise<void> {
  const column = columnKinds(db);
  await db.schema
    .createTable('held_events')
    .ifNotExists()
    .addColumn('contactId', column.id, (c) => c.notNull())
    .addColumn('sequence', column.integer, (c) => c.notNull())
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('payload', column.longText, (c) => c.notNull())
    .addColumn('mediaId', column.id)
    .addColumn('waitUntilMs', column.timestampMs, (c) => c.notNull())
    .addPrimaryKeyConstraint('held_events_key', ['contactId', 'sequence'])
    .execute();
  await ensureIndex(db, { name: 'held_events_due', table: 'held_events', columns: ['waitUntilMs'] });
  await db.schema
    .createTable('inbound_media')
    .ifNotExists()
    .addColumn('id', column.id, (c) => c.primaryKey())
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('contactId', column.id, (c) => c.notNull())
    .addColumn('messageId', column.id, (c) => c.notNull())
    .addColumn('senderId', column.id, (c) => c.notNull())
    .addColumn('providerMediaId', column.id, (c) => c.notNull())
    .addColumn('type', column.text(32), (c) => c.notNull())
    .addColumn('mimeType', column.text(255))
    .addColumn('fileName', column.text(512))
    .addColumn('sha256', column.text(64))
    .addColumn('bytes', column.integer)
    .addColumn('path', column.id)
    .addColumn('state', column.text(16), (c) => c.notNull())
    .addColumn('attempts', column.integer, (c) => c.notNull())
    .addColumn('nextAttemptAtMs', column.timestampMs)
    .addColumn('failureCode', column.text(64))
    .addColumn('failureReason', column.longText)
    .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
    .addColumn('updatedAtMs', column.timestampMs, (c) => c.notNull())
    .execute();
  const index = (name: string, columns: string[]) =>
    ensureIndex(db, { name, table: 'inbound_media', columns });
  await index('inbound_media_due', ['state', 'nextAttemptAtMs']);
  await index('inbound_media_by_age', ['state', 'createdAtMs']);
  await index('inbound_media_by_message', ['messageId']);
  await index('inbound_media_by_contact', ['contactId']);
  await db.schema
    .createTable('file_removals')
    .ifNotExists()
    .addColumn('path', column.id, (c) => c.primaryKey())
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
    .execute();
}

async function dropIndex(db: Kysely<unknown>, table: string, name: string): Promise<void> {
  if (dialectOf(db) === 'sqlite') {
    await sql`drop index if exists ${sql.ref(name)}`.execute(db);
    return;
  }
  const { rows } = await sql`select 1 from information_schema.statistics
    where table_schema = database() and table_name = ${table} and index_name = ${name} limit 1`.execute(db);
  if (rows.length > 0) await sql`drop index ${sql.ref(name)} on ${sql.table(table)}`.execute(db);
}
