import { columnKinds, ensureIndex, type Migration } from '@switchyard/database';
import type { Kysely } from 'kysely';
import { leanIndexesMigration } from './lean-indexes-migration.ts';
import { mediaMigration } from './media-migration.ts';
import { messagesMigration } from './messages-migration.ts';
import { peopleMigration } from './people-migration.ts';
import { sendersMigration } from './senders-migration.ts';
import { sendingMigration } from './sending-migration.ts';
import { steadyRowsMigration } from './steady-rows-migration.ts';
import { subscriptionsMigration } from './subscriptions-migration.ts';
import { templatesMigration } from './templates-migration.ts';
import { toldTemplatesMigration } from './told-templates-migration.ts';
import { waitReasonMigration } from './wait-reason-migration.ts';

/** Everything campaign-sender owns, as of the first release. */
const tables: Migration = {
  async up(db: Kysely<unknown>) {
    await createPeople(db);
    await createSenders(db);
    await createMessages(db);
    await createKept(db);
  },
};

async function createPeople(db: Kysely<unknown>): Promise<void> {
  const column = columnKinds(db);
  await db.schema
    .createTable('contacts')
    .ifNotExists()
    .addColumn('id', column.id, (c) => c.primaryKey())
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('name', column.text(512))
    .addColumn('phone', column.id)
    .addColumn('userId', column.id)
    .addColumn('username', column.id)
    .addColumn('language', column.text(64))
    .addColumn('timeZone', column.text(64))
    .addColumn('optedOut', column.flag, (c) => c.notNull())
    .addColumn('tags', column.longText, (c) => c.notNull())
    .addColumn('attributes', column.longText, (c) => c.notNull())
    .addColumn('lastSequence', column.integer, (c) => c.notNull())
    .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
    .addColumn('updatedAtMs', column.timestampMs, (c) => c.notNull())
    .execute();
  await ensureIndex(db, { name: 'contacts_by_merchant', table: 'contacts', columns: ['merchantId', 'id'] });
  await db.schema
    .createTable('contact_identifiers')
    .ifNotExists()
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('kind', column.text(32), (c) => c.notNull())
    .addColumn('value', column.id, (c) => c.notNull())
    .addColumn('contactId', column.id, (c) => c.notNull())
    .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
    .addPrimaryKeyConstraint('contact_identifiers_key', ['merchantId', 'kind', 'value'])
    .execute();
  await ensureIndex(db, {
    name: 'identifiers_by_contact',
    table: 'contact_identifiers',
    columns: ['contactId'],
  });
  await db.schema
    .createTable('contact_consents')
    .ifNotExists()
    .addColumn('contactId', column.id, (c) => c.notNull())
    .addColumn('purpose', column.text(32), (c) => c.notNull())
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('granted', column.flag, (c) => c.notNull())
    .addColumn('source', column.longText, (c) => c.notNull())
    .addColumn('decidedAtMs', column.timestampMs, (c) => c.notNull())
    .addPrimaryKeyConstraint('contact_consents_key', ['contactId', 'purpose'])
    .execute();
  await db.schema
    .createTable('conversations')
    .ifNotExists()
    .addColumn('contactId', column.id, (c) => c.notNull())
    .addColumn('senderId', column.id, (c) => c.notNull())
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('windowExpiresAtMs', column.timestampMs, (c) => c.notNull())
    .addColumn('lastInboundAtMs', column.timestampMs, (c) => c.notNull())
    .addPrimaryKeyConstraint('conversations_key', ['contactId', 'senderId'])
    .execute();
  await db.schema
    .createTable('suppressions')
    .ifNotExists()
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('kind', column.text(32), (c) => c.notNull())
    .addColumn('value', column.id, (c) => c.notNull())
    .addColumn('reason', column.text(64), (c) => c.notNull())
    .addColumn('source', column.longText, (c) => c.notNull())
    .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
    .addPrimaryKeyConstraint('suppressions_key', ['merchantId', 'kind', 'value'])
    .execute();
}

async function createSenders(db: Kysely<unknown>): Promise<void> {
  const column = columnKinds(db);
  await db.schema
    .createTable('senders')
    .ifNotExists()
    .addColumn('id', column.id, (c) => c.primaryKey())
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('phoneNumberId', column.id, (c) => c.notNull())
    .addColumn('wabaId', column.id)
    .addColumn('displayPhoneNumber', column.text(64))
    .addColumn('accessToken', column.longText)
    .addColumn('state', column.text(32), (c) => c.notNull())
    .addColumn('pauseCode', column.text(64))
    .addColumn('pauseReason', column.longText)
    .addColumn('pausedAtMs', column.timestampMs)
    .addColumn('messagesPerSecond', column.real)
    .addColumn('isDefault', column.flag, (c) => c.notNull())
    .addColumn('lastStatusAtMs', column.timestampMs, (c) => c.notNull())
    .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
    .addColumn('updatedAtMs', column.timestampMs, (c) => c.notNull())
    .execute();
  await ensureIndex(db, {
    name: 'senders_by_number',
    table: 'senders',
    columns: ['merchantId', 'phoneNumberId'],
    unique: true,
  });
  await db.schema
    .createTable('template_holds')
    .ifNotExists()
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('template', column.text(512), (c) => c.notNull())
    .addColumn('state', column.text(32), (c) => c.notNull())
    .addColumn('reason', column.longText, (c) => c.notNull())
    .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
    .addPrimaryKeyConstraint('template_holds_key', ['merchantId', 'template'])
    .execute();
}

async function createMessages(db: Kysely<unknown>): Promise<void> {
  const column = columnKinds(db);
  await db.schema
    .createTable('messages')
    .ifNotExists()
    .addColumn('id', column.id, (c) => c.primaryKey())
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('direction', column.text(8), (c) => c.notNull())
    .addColumn('contactId', column.id)
    .addColumn('senderId', column.id)
    .addColumn('addressKind', column.text(32), (c) => c.notNull())
    .addColumn('address', column.id, (c) => c.notNull())
    .addColumn('type', column.text(64), (c) => c.notNull())
    .addColumn('content', column.longText, (c) => c.notNull())
    .addColumn('state', column.text(16), (c) => c.notNull())
    .addColumn('priority', column.integer, (c) => c.notNull())
    .addColumn('lane', column.text(32), (c) => c.notNull())
    .addColumn('origin', column.longText)
    .addColumn('replyTo', column.text(512))
    .addColumn('onUnknown', column.text(16), (c) => c.notNull())
    .addColumn('attempts', column.integer, (c) => c.notNull())
    .addColumn('failures', column.integer, (c) => c.notNull())
    .addColumn('turn', column.integer, (c) => c.notNull())
    .addColumn('nextAttemptAtMs', column.timestampMs)
    .addColumn('expiresAtMs', column.timestampMs)
    .addColumn('providerMessageId', column.id)
    .addColumn('failureCode', column.text(64))
    .addColumn('failureReason', column.longText)
    .addColumn('requestHash', column.text(64))
    .addColumn('sequence', column.integer)
    .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
    .addColumn('updatedAtMs', column.timestampMs, (c) => c.notNull())
    .execute();
  const index = (name: string, columns: string[]) => ensureIndex(db, { name, table: 'messages', columns });
  await index('messages_by_merchant', ['merchantId', 'id']);
  await index('messages_by_contact', ['contactId', 'id']);
  await index('messages_due', ['state', 'nextAttemptAtMs', 'senderId']);
  await index('messages_due_of_sender', ['senderId', 'state', 'priority', 'nextAttemptAtMs']);
  await db.schema
    .createTable('message_attempts')
    .ifNotExists()
    .addColumn('messageId', column.id, (c) => c.notNull())
    .addColumn('attempt', column.integer, (c) => c.notNull())
    .addColumn('senderId', column.id, (c) => c.notNull())
    .addColumn('state', column.text(16), (c) => c.notNull())
    .addColumn('startedAtMs', column.timestampMs, (c) => c.notNull())
    .addColumn('unknownSinceMs', column.timestampMs)
    .addColumn('endedAtMs', column.timestampMs)
    .addColumn('providerMessageId', column.id)
    .addColumn('errorCode', column.text(64))
    .addColumn('cause', column.longText)
    .addPrimaryKeyConstraint('message_attempts_key', ['messageId', 'attempt'])
    .execute();
  await ensureIndex(db, {
    name: 'attempts_by_state',
    table: 'message_attempts',
    columns: ['state', 'startedAtMs'],
  });
  await ensureIndex(db, {
    name: 'attempts_by_provider_id',
    table: 'message_attempts',
    columns: ['providerMessageId'],
  });
  await db.schema
    .createTable('message_timeline')
    .ifNotExists()
    .addColumn('messageId', column.id, (c) => c.notNull())
    .addColumn('state', column.text(16), (c) => c.notNull())
    .addColumn('attempt', column.integer, (c) => c.notNull())
    .addColumn('occurredAtMs', column.timestampMs, (c) => c.notNull())
    .addColumn('recordedAtMs', column.timestampMs, (c) => c.notNull())
    .addColumn('cause', column.text(64), (c) => c.notNull())
    .addColumn('code', column.text(64))
    .addColumn('detail', column.longText)
    .addPrimaryKeyConstraint('message_timeline_key', ['messageId', 'state', 'attempt'])
    .execute();
}

async function createKept(db: Kysely<unknown>): Promise<void> {
  const column = columnKinds(db);
  await db.schema
    .createTable('unmatched_events')
    .ifNotExists()
    .addColumn('id', column.id, (c) => c.primaryKey())
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('kind', column.text(32), (c) => c.notNull())
    .addColumn('name', column.text(255), (c) => c.notNull())
    .addColumn('body', column.longText, (c) => c.notNull())
    .addColumn('occurredAtMs', column.timestampMs, (c) => c.notNull())
    .addColumn('receivedAtMs', column.timestampMs, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('account_updates')
    .ifNotExists()
    .addColumn('id', column.id, (c) => c.primaryKey())
    .addColumn('merchantId', column.id, (c) => c.notNull())
    .addColumn('field', column.text(128), (c) => c.notNull())
    .addColumn('wabaId', column.id)
    .addColumn('phoneNumberId', column.id)
    .addColumn('value', column.longText, (c) => c.notNull())
    .addColumn('occurredAtMs', column.timestampMs, (c) => c.notNull())
    .addColumn('receivedAtMs', column.timestampMs, (c) => c.notNull())
    .execute();
}

/** campaign-sender's migrations, in the order of their names. */
export const migrations: Record<string, Migration> = {
  '0001-tables': tables,
  '0002-event-subscriptions': subscriptionsMigration,
  '0002-people': peopleMigration,
  '0003-sending': sendingMigration,
  '0004-media': mediaMigration,
  '0004-messages': messagesMigration,
  '0004-senders': sendersMigration,
  '0004-templates': templatesMigration,
  '0005-lean-indexes': leanIndexesMigration,
  '0005-told-templates': toldTemplatesMigration,
  '0006-wait-reason': waitReasonMigration,
  '0007-steady-rows': steadyRowsMigration,
};
