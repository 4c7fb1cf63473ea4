import type { Database } from '@switchyard/database';
import { isCodedError } from '@switchyard/errors';
import {
  type DefinitionProblem,
  type DefinitionSurroundings,
  type FlowDefinition,
  findWarnings,
} from '@switchyard/flows';
import { createId } from '@switchyard/runtime';
import type { FlowsTable, FlowTables, FlowVersionsTable } from '../database/tables.ts';
import { flowDraftMissing, flowInvalid, flowUnknown, flowVersionUnknown } from '../errors.ts';
import { syncSchedules } from '../schedules/sync-schedules.ts';
import { type FlowBundle, flowsNamedBy, renameFlows } from './flow-bundle.ts';
import {
  checkRoom,
  insertFlow,
  lockFlow,
  MAX_FLOWS,
  readDefinition,
  setVersionStatus,
  writeDraft,
} from './flow-rows.ts';
import { requireValid } from './require-valid.ts';
import { surroundingsOf } from './surroundings-of.ts';

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
  /** What there is that a definition may name. */
  surroundings(merchantId: string, definition: FlowDefinition): Promise<DefinitionSurroundings>;
  /** Creates a flow with a draft. @throws FLOW_INVALID, FLOW_LIMIT_REACHED */
  create(merchantId: string, definition: unknown): Promise<FlowDetails>;
  /** Changes the draft, or begins one; what is published goes on. @throws FLOW_UNKNOWN, FLOW_INVALID */
  saveDraft(merchantId: string, id: string, definition: unknown): Promise<FlowDetails>;
  /** A flow with those that it names, for another installation or for git. @throws FLOW_UNKNOWN, FLOW_VERSION_UNKNOWN */
  exportBundle(merchantId: string, id: string, version?: number): Promise<FlowBundle>;
  /**
   * Takes flows over, all or none: each becomes the draft of the merchant's flow with its id, where there is one, else a new flow. What
   * they call each other follows.
   *
   * @throws FLOW_INVALID, FLOW_LIMIT_REACHED
   */
  importBundle(merchantId: string, flows: readonly ImportedFlow[]): Promise<FlowDetails[]>;
  /**
   * Makes the draft the version that new runs start on; the flows that it calls must be published, and the message templates that it
   * names must be there, where it is known which there are.
   *
   * @returns with what should be known, and did not keep it from being published.
   * @throws FLOW_UNKNOWN, FLOW_DRAFT_MISSING, FLOW_INVALID
   */
  publish(merchantId: string, id: string): Promise<FlowDetails & { warnings: DefinitionProblem[] }>;
  /** Starts no more runs; those under way go on. @throws FLOW_UNKNOWN */
  archive(merchantId: string, id: string): Promise<FlowDetails>;
}

/** A flow to take over; `id` is what the others call it. */
export interface ImportedFlow {
  id?: string | undefined;
  definition: unknown;
}

/** Makes the store of flows. */
export function createFlowStore(database: Database<FlowTables>): FlowStore {
  const { db, dialect } = database;

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
    const definition = await readDefinition(db, id, wanted);
    if (!definition)
      throw flowVersionUnknown('the flow has no such version', { details: { id, version: wanted } });
    return { ...flow, versions, definition, definitionVersion: wanted };
  }

  return {
    get,
    surroundings: (merchantId, definition) => surroundingsOf(db, merchantId, definition),
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
      const definition = requireValid(value);
      const id = await database.transaction(async (trx) => {
        await checkRoom(trx, merchantId);
        return insertFlow(trx, merchantId, definition);
      });
      return get(merchantId, id);
    },
    async saveDraft(merchantId, id, value) {
      const definition = requireValid(value);
      const version = await database.transaction(async (trx) =>
        writeDraft(trx, await lockFlow(trx, dialect, merchantId, id), definition),
      );
      return get(merchantId, id, version);
    },
    async exportBundle(merchantId, id, version) {
      const flows: FlowBundle['flows'] = [];
      // A set grows while it is walked: each flow is visited once.
      const wanted = new Set([id]);
      for (const each of wanted) {
        const found = await get(merchantId, each, each === id ? version : undefined).catch((error) => {
          if (each === id || !isCodedError(error) || error.code !== flowUnknown.code) throw error;
          return undefined;
        });
        if (!found) continue;
        flows.push({ id: each, definition: found.definition });
        for (const named of flowsNamedBy(found.definition)) wanted.add(named);
      }
      return { format: 'switchyard.flows', version: 1, flows };
    },
    async importBundle(merchantId, flows) {
      const valid = flows.map(({ id, definition }) => ({ id, definition: requireValid(definition) }));
      const named = valid.flatMap(({ id }) => id ?? []);
      if (new Set(named).size !== named.length) throw flowInvalid('two flows of the bundle have the same id');
      const drafts = await database.transaction(async (trx) => {
        const own = new Map<string, FlowsTable>();
        for (const { id } of valid) {
          if (id === undefined) continue;
          const flow = await lockFlow(trx, dialect, merchantId, id).catch((error) => {
            if (!isCodedError(error) || error.code !== flowUnknown.code) throw error;
            return undefined;
          });
          if (flow) own.set(id, flow);
        }
        const ids = new Map(
          valid.flatMap(({ id }) => (id === undefined ? [] : [[id, own.get(id)?.id ?? createId('flow')]])),
        );
        await checkRoom(trx, merchantId, valid.length - own.size);
        const written: { id: string; version: number }[] = [];
        for (const { id, definition } of valid) {
          const renamed = renameFlows(definition, ids);
          const flow = id === undefined ? undefined : own.get(id);
          if (flow) written.push({ id: flow.id, version: await writeDraft(trx, flow, renamed) });
          else {
            const made = await insertFlow(
              trx,
              merchantId,
              renamed,
              id === undefined ? undefined : ids.get(id),
            );
            written.push({ id: made, version: 1 });
          }
        }
        return written;
      });
      return Promise.all(drafts.map(({ id, version }) => get(merchantId, id, version)));
    },
    async publish(merchantId, id) {
      const warnings = await database.transaction(async (trx) => {
        const flow = await lockFlow(trx, dialect, merchantId, id);
        const now = Date.now();
        const definition =
          flow.draftVersion === null ? undefined : await readDefinition(trx, id, flow.draftVersion);
        if (!definition) throw flowDraftMissing('the flow has no draft to publish');
        const surroundings = await surroundingsOf(trx, merchantId, definition, id);
        requireValid(definition, surroundings);
        await setVersionStatus(trx, id, flow.publishedVersion, 'archived');
        await setVersionStatus(trx, id, flow.draftVersion, 'published');
        await trx
          .updateTable('flows')
          .set({
            state: 'active',
            publishedVersion: flow.draftVersion,
            draftVersion: null,
            updatedAtMs: now,
          })
          .where('id', '=', id)
          .execute();
        await syncSchedules(trx, { merchantId, flowId: id }, definition, now);
        return findWarnings(definition, surroundings);
      });
      return { ...(await get(merchantId, id)), warnings };
    },
    async archive(merchantId, id) {
      await database.transaction(async (trx) => {
        const flow = await lockFlow(trx, dialect, merchantId, id);
        const now = Date.now();
        await setVersionStatus(trx, id, flow.publishedVersion, 'archived');
        await trx
          .updateTable('flows')
          .set({ state: 'archived', publishedVersion: null, updatedAtMs: now })
          .where('id', '=', id)
          .execute();
        await syncSchedules(trx, { merchantId, flowId: id }, undefined, now);
      });
      return get(merchantId, id);
    },
  };
}
