import type { Database, Transaction } from '@switchyard/database';
import type { FlowDefinition } from '@switchyard/flows';
import { checkDefinition } from '@switchyard/flows';
import { createId } from '@switchyard/runtime';
import type { FlowsTable, FlowTables, FlowVersionsTable } from '../database/tables.ts';
import {
  flowDraftMissing,
  flowInvalid,
  flowLimitReached,
  flowUnknown,
  flowVersionUnknown,
} from '../errors.ts';

/** Flows of one merchant: each is matched against each message. */
const MAX_FLOWS = 500;

/** A version as the API shows it. */
export interface FlowVersion {
  version: number;
  status: FlowVersionsTable['status'];
  createdAtMs: number;
  updatedAtMs: number;
}

/** A flow with its versions and the definition of one of them. */
export interface FlowDetails extends FlowsTable {
  versions: FlowVersion[];
  /** Of the version that was asked for; the published one, else the newest. */
  definition: FlowDefinition;
  definitionVersion: number;
}

/** The merchants' flows: draft → published → archived. */
export interface FlowStore {
  list(merchantId: string): Promise<FlowsTable[]>;
  /** @throws FLOW_UNKNOWN, FLOW_VERSION_UNKNOWN */
  get(merchantId: string, id: string, version?: number): Promise<FlowDetails>;
  /** Creates a flow with a draft. @throws FLOW_INVALID, FLOW_LIMIT_REACHED */
  create(merchantId: string, definition: unknown): Promise<FlowDetails>;
  /** Changes the draft, or begins one; what is published goes on. @throws FLOW_UNKNOWN, FLOW_INVALID */
  saveDraft(merchantId: string, id: string, definition: unknown): Promise<FlowDetails>;
  /** Makes the draft the version that new runs start on. @throws FLOW_UNKNOWN, FLOW_DRAFT_MISSING */
  publish(merchantId: string, id: string): Promise<FlowDetails>;
  /** Starts no more runs; those under way go on. @throws FLOW_UNKNOWN */
  archive(merchantId: string, id: string): Promise<FlowDetails>;
}

/** @throws FLOW_INVALID naming the nodes. */
function check(value: unknown): FlowDefinition {
  const problems = checkDefinition(value);
  const [first] = problems;
  if (!first) return value as FlowDefinition;
  const where = first.node === undefined ? first.path || 'the definition' : `node "${first.node}"`;
  throw flowInvalid(`${where} ${first.message}`, { details: { problems } });
}

/** Makes the store of flows. */
export function createFlowStore(database: Database<FlowTables>): FlowStore {
  const { db, dialect } = database;

  /** The flow, kept for this transaction, so that two publishes come one after the other. */
  async function lock(trx: Transaction<FlowTables>, merchantId: string, id: string): Promise<FlowsTable> {
    const row = await trx
      .selectFrom('flows')
      .selectAll()
      .where('id', '=', id)
      .where('merchantId', '=', merchantId)
      .$if(dialect === 'mysql', (query) => query.forUpdate())
      .executeTakeFirst();
    if (!row) throw flowUnknown('no flow has this id', { details: { id } });
    return row;
  }

  async function get(merchantId: string, id: string, version?: number): Promise<FlowDetails> {
    const flow = await db
      .selectFrom('flows')
      .selectAll()
      .where('id', '=', id)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    if (!flow) throw flowUnknown('no flow has this id', { details: { id } });
    const versions = await db
      .selectFrom('flowVersions')
      .select(['version', 'status', 'createdAtMs', 'updatedAtMs'])
      .where('flowId', '=', id)
      .orderBy('version', 'desc')
      .limit(100)
      .execute();
    const wanted = version ?? flow.publishedVersion ?? flow.latestVersion;
    const row = await db
      .selectFrom('flowVersions')
      .select('definition')
      .where('flowId', '=', id)
      .where('version', '=', wanted)
      .executeTakeFirst();
    if (!row) throw flowVersionUnknown('the flow has no such version', { details: { id, version: wanted } });
    return { ...flow, versions, definition: JSON.parse(row.definition), definitionVersion: wanted };
  }

  const setStatus = (
    trx: Transaction<FlowTables>,
    id: string,
    version: number | null,
    status: FlowVersionsTable['status'],
  ) =>
    version === null
      ? undefined
      : trx
          .updateTable('flowVersions')
          .set({ status, updatedAtMs: Date.now() })
          .where('flowId', '=', id)
          .where('version', '=', version)
          .execute();

  return {
    get,
    list: (merchantId) =>
      db
        .selectFrom('flows')
        .selectAll()
        .where('merchantId', '=', merchantId)
        .orderBy('createdAtMs')
        .orderBy('id')
        .limit(MAX_FLOWS)
        .execute(),
    async create(merchantId, value) {
      const definition = check(value);
      const { count } = await db
        .selectFrom('flows')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('merchantId', '=', merchantId)
        .executeTakeFirstOrThrow();
      if (Number(count) >= MAX_FLOWS) throw flowLimitReached(`a merchant has at most ${MAX_FLOWS} flows`);
      const id = createId('flow');
      const times = { createdAtMs: Date.now(), updatedAtMs: Date.now() };
      await database.transaction(async (trx) => {
        await trx
          .insertInto('flows')
          .values({
            id,
            merchantId,
            name: definition.name,
            state: 'active',
            publishedVersion: null,
            draftVersion: 1,
            latestVersion: 1,
            ...times,
          })
          .execute();
        await trx
          .insertInto('flowVersions')
          .values({
            flowId: id,
            version: 1,
            merchantId,
            status: 'draft',
            definition: JSON.stringify(definition),
            ...times,
          })
          .execute();
      });
      return get(merchantId, id);
    },
    async saveDraft(merchantId, id, value) {
      const definition = check(value);
      const version = await database.transaction(async (trx) => {
        const flow = await lock(trx, merchantId, id);
        const now = Date.now();
        const draft = flow.draftVersion ?? flow.latestVersion + 1;
        if (flow.draftVersion === null)
          await trx
            .insertInto('flowVersions')
            .values({
              flowId: id,
              version: draft,
              merchantId,
              status: 'draft',
              definition: JSON.stringify(definition),
              createdAtMs: now,
              updatedAtMs: now,
            })
            .execute();
        else
          await trx
            .updateTable('flowVersions')
            .set({ definition: JSON.stringify(definition), updatedAtMs: now })
            .where('flowId', '=', id)
            .where('version', '=', draft)
            .execute();
        await trx
          .updateTable('flows')
          .set({ name: definition.name, draftVersion: draft, latestVersion: draft, updatedAtMs: now })
          .where('id', '=', id)
          .execute();
        return draft;
      });
      return get(merchantId, id, version);
    },
    async publish(merchantId, id) {
      await database.transaction(async (trx) => {
        const flow = await lock(trx, merchantId, id);
        if (flow.draftVersion === null) throw flowDraftMissing('the flow has no draft to publish');
        await setStatus(trx, id, flow.publishedVersion, 'archived');
        await setStatus(trx, id, flow.draftVersion, 'published');
        await trx
          .updateTable('flows')
          .set({
            state: 'active',
            publishedVersion: flow.draftVersion,
            draftVersion: null,
            updatedAtMs: Date.now(),
          })
          .where('id', '=', id)
          .execute();
      });
      return get(merchantId, id);
    },
    async archive(merchantId, id) {
      await database.transaction(async (trx) => {
        const flow = await lock(trx, merchantId, id);
        await setStatus(trx, id, flow.publishedVersion, 'archived');
        await trx
          .updateTable('flows')
          .set({ state: 'archived', publishedVersion: null, updatedAtMs: Date.now() })
          .where('id', '=', id)
          .execute();
      });
      return get(merchantId, id);
    },
  };
}
