import type { DialectName, Kysely, Transaction } from '@switchyard/database';
import type { FlowDefinition } from '@switchyard/flows';
import { createId } from '@switchyard/runtime';
import type { FlowsTable, FlowTables, FlowVersionsTable } from '../database/tables.ts';
import { flowLimitReached, flowUnknown } from '../errors.ts';

/** Flows of one merchant: each is matched against each message. */
export const MAX_FLOWS = 500;

/** The flow, kept for this transaction, so that two publishes come one after the other. @throws FLOW_UNKNOWN */
export async function lockFlow(
  trx: Transaction<FlowTables>,
  dialect: DialectName,
  merchantId: string,
  id: string,
): Promise<FlowsTable> {
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

/** @throws FLOW_LIMIT_REACHED when a merchant has no room for so many more. */
export async function checkRoom(executor: Kysely<FlowTables>, merchantId: string, more = 1): Promise<void> {
  const { count } = await executor
    .selectFrom('flows')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('merchantId', '=', merchantId)
    .executeTakeFirstOrThrow();
  if (Number(count) + more > MAX_FLOWS) throw flowLimitReached(`a merchant has at most ${MAX_FLOWS} flows`);
}

/** Writes a new flow with its first draft. @returns its id. */
export async function insertFlow(
  trx: Transaction<FlowTables>,
  merchantId: string,
  definition: FlowDefinition,
  id: string = createId('flow'),
): Promise<string> {
  const now = Date.now();
  const times = { createdAtMs: now, updatedAtMs: now };
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
  await insertVersion(trx, { flowId: id, merchantId, version: 1, definition, now });
  return id;
}

/** Changes the draft of a flow that is kept for this transaction, or begins one. @returns the draft's version. */
export async function writeDraft(
  trx: Transaction<FlowTables>,
  flow: FlowsTable,
  definition: FlowDefinition,
): Promise<number> {
  const now = Date.now();
  const version = flow.draftVersion ?? flow.latestVersion + 1;
  if (flow.draftVersion === null)
    await insertVersion(trx, { flowId: flow.id, merchantId: flow.merchantId, version, definition, now });
  else
    await trx
      .updateTable('flowVersions')
      .set({ definition: JSON.stringify(definition), updatedAtMs: now })
      .where('flowId', '=', flow.id)
      .where('version', '=', version)
      .execute();
  await trx
    .updateTable('flows')
    .set({ name: definition.name, draftVersion: version, latestVersion: version, updatedAtMs: now })
    .where('id', '=', flow.id)
    .execute();
  return version;
}

/** The definition of a version; undefined when there is none. */
export async function readDefinition(
  executor: Kysely<FlowTables>,
  flowId: string,
  version: number,
): Promise<FlowDefinition | undefined> {
  const row = await executor
    .selectFrom('flowVersions')
    .select('definition')
    .where('flowId', '=', flowId)
    .where('version', '=', version)
    .executeTakeFirst();
  return row && (JSON.parse(row.definition) as FlowDefinition);
}

/** Where a version is on its way from draft to archived; `null` is no version. */
export async function setVersionStatus(
  trx: Transaction<FlowTables>,
  flowId: string,
  version: number | null,
  status: FlowVersionsTable['status'],
): Promise<void> {
  if (version === null) return;
  await trx
    .updateTable('flowVersions')
    .set({ status, updatedAtMs: Date.now() })
    .where('flowId', '=', flowId)
    .where('version', '=', version)
    .execute();
}

async function insertVersion(
  trx: Transaction<FlowTables>,
  {
    definition,
    now,
    ...version
  }: {
    flowId: string;
    merchantId: string;
    version: number;
    definition: FlowDefinition;
    now: number;
  },
): Promise<void> {
  await trx
    .insertInto('flowVersions')
    .values({
      ...version,
      status: 'draft',
      definition: JSON.stringify(definition),
      createdAtMs: now,
      updatedAtMs: now,
    })
    .execute();
}
