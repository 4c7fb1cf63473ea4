import type { Kysely } from '@switchyard/database';
import type { FlowDefinition, PublishedFlow } from '@switchyard/flows';
import type { FlowTables } from '../database/tables.ts';

/** How old the list that messages are matched against may be: a publish reaches every replica within it. */
const LIST_MAX_AGE_MS = 2000;
/** Merchants and versions kept in memory. */
const ENTRIES_MOST = 2000;

/** Definitions as the engine needs them, from memory where possible. */
export interface FlowCache {
  /** The published flows of a merchant, oldest first, at most two seconds old. */
  published(merchantId: string): Promise<readonly PublishedFlow[]>;
  /** The definition of a version that has left `draft`; undefined when there is none. `executor`: the transaction of the caller. */
  version(executor: Kysely<FlowTables>, flowId: string, version: number): Promise<FlowDefinition | undefined>;
}

/** Makes the cache. Concurrent calls for one merchant share a query; versions never change and are kept. */
export function createFlowCache(db: Kysely<FlowTables>): FlowCache {
  const lists = new Map<string, { atMs: number; flows: Promise<readonly PublishedFlow[]> }>();
  const versions = new Map<string, FlowDefinition>();

  function remember(flowId: string, version: number, definition: FlowDefinition): void {
    keepMost(versions, ENTRIES_MOST);
    versions.set(`${flowId} ${version}`, definition);
  }

  async function load(merchantId: string): Promise<readonly PublishedFlow[]> {
    const rows = await db
      .selectFrom('flows')
      .innerJoin('flowVersions', (join) =>
        join
          .onRef('flowVersions.flowId', '=', 'flows.id')
          .onRef('flowVersions.version', '=', 'flows.publishedVersion'),
      )
      .select(['flows.id', 'flows.createdAtMs', 'flowVersions.version', 'flowVersions.definition'])
      .where('flows.merchantId', '=', merchantId)
      .orderBy('flows.createdAtMs')
      .orderBy('flows.id')
      .execute();
    return rows.map((row) => {
      const known = versions.get(`${row.id} ${row.version}`);
      const definition = known ?? (JSON.parse(row.definition) as FlowDefinition);
      if (!known) remember(row.id, row.version, definition);
      return { flowId: row.id, version: row.version, definition };
    });
  }

  return {
    published(merchantId) {
      const kept = lists.get(merchantId);
      if (kept && performance.now() - kept.atMs < LIST_MAX_AGE_MS) return kept.flows;
      const flows = load(merchantId);
      const entry = { atMs: performance.now(), flows };
      keepMost(lists, ENTRIES_MOST);
      lists.set(merchantId, entry);
      // A failure must not be what the next two seconds are told.
      flows.catch(() => {
        if (lists.get(merchantId) === entry) lists.delete(merchantId);
      });
      return flows;
    },
    async version(executor, flowId, version) {
      const known = versions.get(`${flowId} ${version}`);
      if (known) return known;
      const row = await executor
        .selectFrom('flowVersions')
        .select('definition')
        .where('flowId', '=', flowId)
        .where('version', '=', version)
        .where('status', '!=', 'draft')
        .executeTakeFirst();
      if (!row) return undefined;
      const definition = JSON.parse(row.definition) as FlowDefinition;
      remember(flowId, version, definition);
      return definition;
    },
  };
}

/** Makes room for one more: the oldest goes. */
function keepMost(map: Map<string, unknown>, most: number): void {
  if (map.size < most) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
