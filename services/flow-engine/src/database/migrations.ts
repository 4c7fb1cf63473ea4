import { columnKinds, ensureColumn, ensureIndex, type Kysely, type Migration } from '@switchyard/database';
import { createAiBudgetTable } from '../ai/budgets-migration.ts';
import { createSecrets } from '../secrets/secrets-migration.ts';
import { createShops } from '../shopify/shops-migration.ts';
import { createCounters } from '../statistics/counters-migration.ts';
import { createTemplateSets } from '../templates/templates-migration.ts';
import { createAiTables } from './credentials-migration.ts';

const createFlows: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('flows')
      .ifNotExists()
      .addColumn('id', column.id, (each) => each.primaryKey())
      .addColumn('merchantId', column.id, (each) => each.notNull())
      .addColumn('name', column.text(128), (each) => each.notNull())
      .addColumn('state', column.text(16), (each) => each.notNull())
      .addColumn('publishedVersion', column.integer)
      .addColumn('draftVersion', column.integer)
      .addColumn('latestVersion', column.integer, (each) => each.notNull())
      .addColumn('createdAtMs', column.timestampMs, (each) => each.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (each) => each.notNull())
      .execute();
    await ensureIndex(db, { name: 'flowsByMerchant', table: 'flows', columns: ['merchantId', 'id'] });

    await db.schema
      .createTable('flowVersions')
      .ifNotExists()
      .addColumn('flowId', column.id, (each) => each.notNull())
      .addColumn('version', column.integer, (each) => each.notNull())
      .addColumn('merchantId', column.id, (each) => each.notNull())
      .addColumn('status', column.text(16), (each) => each.notNull())
      .addColumn('definition', column.longText, (each) => each.notNull())
      .addColumn('createdAtMs', column.timestampMs, (each) => each.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (each) => each.notNull())
      .addPrimaryKeyConstraint('flowVersionsKey', ['flowId', 'version'])
      .execute();
  },
};

const createConversations: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('inbox')
      .ifNotExists()
      .addColumn('id', column.id, (each) => each.primaryKey())
      .addColumn('merchantId', column.id, (each) => each.notNull())
      .addColumn('contactId', column.id, (each) => each.notNull())
      .addColumn('sequence', column.integer, (each) => each.notNull())
      .addColumn('kind', column.text(16), (each) => each.notNull())
      .addColumn('payload', column.longText, (each) => each.notNull())
      .addColumn('insertedAtMs', column.timestampMs, (each) => each.notNull())
      .addColumn('lookAtMs', column.timestampMs, (each) => each.notNull())
      .execute();
    await ensureIndex(db, {
      name: 'inboxByContact',
      table: 'inbox',
      columns: ['merchantId', 'contactId', 'sequence'],
    });
    await ensureIndex(db, { name: 'inboxByLook', table: 'inbox', columns: ['lookAtMs'] });

    await db.schema
      .createTable('conversations')
      .ifNotExists()
      .addColumn('merchantId', column.id, (each) => each.notNull())
      .addColumn('contactId', column.id, (each) => each.notNull())
      .addColumn('lastSequence', column.integer, (each) => each.notNull())
      .addColumn('session', column.longText, (each) => each.notNull())
      .addColumn('sessionUpdatedAtMs', column.timestampMs, (each) => each.notNull())
      .addColumn('sendQueue', column.longText)
      .addColumn('sendQueueDueAtMs', column.timestampMs)
      .addPrimaryKeyConstraint('conversationsKey', ['merchantId', 'contactId'])
      .execute();
    await ensureIndex(db, {
      name: 'conversationsBySendQueue',
      table: 'conversations',
      columns: ['sendQueueDueAtMs'],
    });
  },
};

const createRuns: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('runs')
      .ifNotExists()
      .addColumn('id', column.id, (each) => each.primaryKey())
      .addColumn('merchantId', column.id, (each) => each.notNull())
      .addColumn('contactId', column.id, (each) => each.notNull())
      .addColumn('flowId', column.id, (each) => each.notNull())
      .addColumn('flowVersion', column.integer, (each) => each.notNull())
      .addColumn('status', column.text(16), (each) => each.notNull())
      .addColumn('reasonCode', column.text(64))
      .addColumn('reason', column.text(1024))
      .addColumn('state', column.longText, (each) => each.notNull())
      .addColumn('contact', column.longText, (each) => each.notNull())
      .addColumn('senderId', column.id)
      .addColumn('waitId', column.id)
      .addColumn('waitKind', column.text(16))
      .addColumn('dueAtMs', column.timestampMs)
      .addColumn('inputs', column.integer, (each) => each.notNull())
      .addColumn('createdAtMs', column.timestampMs, (each) => each.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (each) => each.notNull())
      .execute();
    await ensureIndex(db, { name: 'runsByMerchant', table: 'runs', columns: ['merchantId', 'id'] });
    // Finds the run that waits for a contact among the many that have ended.
    await ensureIndex(db, {
      name: 'runsByContact',
      table: 'runs',
      columns: ['contactId', 'status', 'updatedAtMs'],
    });
    await ensureIndex(db, { name: 'runsByDue', table: 'runs', columns: ['dueAtMs'] });
    await ensureIndex(db, { name: 'runsByStatus', table: 'runs', columns: ['status', 'flowId'] });

    await db.schema
      .createTable('runJournal')
      .ifNotExists()
      .addColumn('runId', column.id, (each) => each.notNull())
      .addColumn('number', column.integer, (each) => each.notNull())
      .addColumn('input', column.longText, (each) => each.notNull())
      .addColumn('contact', column.longText, (each) => each.notNull())
      .addColumn('steps', column.longText, (each) => each.notNull())
      .addColumn('effects', column.longText, (each) => each.notNull())
      .addColumn('atMs', column.timestampMs, (each) => each.notNull())
      .addPrimaryKeyConstraint('runJournalKey', ['runId', 'number'])
      .execute();

    await db.schema
      .createTable('runMessages')
      .ifNotExists()
      .addColumn('messageId', column.id, (each) => each.primaryKey())
      .addColumn('runId', column.id, (each) => each.notNull())
      .addColumn('stepId', column.id, (each) => each.notNull())
      .addColumn('outcome', column.text(16), (each) => each.notNull())
      .addColumn('reason', column.longText)
      .addColumn('decidedAtMs', column.timestampMs, (each) => each.notNull())
      .execute();
    await ensureIndex(db, { name: 'runMessagesByRun', table: 'runMessages', columns: ['runId'] });
  },
};

const addHandovers: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await ensureColumn(db, 'conversations', 'handler', column.text(16));
    await ensureColumn(db, 'conversations', 'handlerUntilMs', column.timestampMs);
    await ensureColumn(db, 'conversations', 'busyRunId', column.id);
    await ensureColumn(db, 'conversations', 'busyUntilMs', column.timestampMs);
    await ensureColumn(db, 'runs', 'heldInput', column.longText);
    await ensureColumn(db, 'runs', 'exclusionGroup', column.text(64));
  },
};

const createSchedules: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('schedules')
      .ifNotExists()
      .addColumn('id', column.id, (each) => each.primaryKey())
      .addColumn('merchantId', column.id, (each) => each.notNull())
      .addColumn('flowId', column.id, (each) => each.notNull())
      .addColumn('settings', column.longText, (each) => each.notNull())
      .addColumn('nextAtMs', column.timestampMs, (each) => each.notNull())
      .execute();
    await ensureIndex(db, { name: 'schedulesByNext', table: 'schedules', columns: ['nextAtMs'] });
    await ensureIndex(db, { name: 'schedulesByFlow', table: 'schedules', columns: ['flowId'] });
  },
};

const addChains: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await ensureColumn(db, 'runs', 'chainDepth', column.integer);
  },
};

/** Finds what answers a person among a hundred thousand reminders that are due. */
const indexWaits: Migration = {
  async up(db: Kysely<unknown>) {
    await ensureIndex(db, { name: 'runsByWait', table: 'runs', columns: ['waitKind', 'dueAtMs'] });
  },
};

const addMerges: Migration = {
  async up(db: Kysely<unknown>) {
    await ensureColumn(db, 'conversations', 'mergedIntoId', columnKinds(db).id);
  },
};

/** The tables that flow-engine owns. */
export const migrations: Record<string, Migration> = {
  'flow-engine-0001-flows': createFlows,
  'flow-engine-0002-conversations': createConversations,
  'flow-engine-0003-runs': createRuns,
  'flow-engine-0004-handovers': addHandovers,
  'flow-engine-0005-schedules': createSchedules,
  'flow-engine-0006-chains': addChains,
  'flow-engine-0007-counters': createCounters,
  'flow-engine-0008-ai': createAiTables,
  'flow-engine-0009-shops': createShops,
  'flow-engine-0010-urgent-waits': indexWaits,
  'flow-engine-0011-templates': createTemplateSets,
  'flow-engine-0012-merges': addMerges,
  'flow-engine-0013-secrets': createSecrets,
  'flow-engine-0014-ai-budgets': createAiBudgetTable,
};
