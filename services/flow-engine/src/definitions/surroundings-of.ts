import type { Kysely } from '@switchyard/database';
import {
  type DefinitionSurroundings,
  type FlowDefinition,
  messageTemplatesNamedBy,
  secretsOf,
  templatesOf,
} from '@switchyard/flows';
import type { FlowTables } from '../database/tables.ts';
import { knownTemplates } from '../templates/template-sets.ts';
import { flowsNamedBy } from './flow-bundle.ts';

/**
 * What a check must know of the merchant, as far as the definition names anything: published flows to call, secrets, and message
 * templates where those of any account are known.
 *
 * @param id the flow's own: it may call itself, as deep as flows may go.
 */
export async function surroundingsOf(
  executor: Kysely<FlowTables>,
  merchantId: string,
  definition: FlowDefinition,
  id?: string,
): Promise<DefinitionSurroundings> {
  const templates = await knownTemplates(executor, merchantId, messageTemplatesNamedBy(definition));
  const named = flowsNamedBy(definition);
  const flows = named.length === 0 ? undefined : await publishedFlows(executor, merchantId, named);
  if (id !== undefined) flows?.set(id, definition);
  const templatesRead = Object.values(definition.nodes).flatMap((node) =>
    node.kind === 'http-request' ? templatesOf(node).map(({ template }) => template) : [],
  );
  const secrets = secretsOf(templatesRead).length === 0 ? undefined : await secretNames(executor, merchantId);
  return {
    ...(templates === undefined ? {} : { templates }),
    ...(flows === undefined ? {} : { flows }),
    ...(secrets === undefined ? {} : { secrets }),
  };
}

async function secretNames(executor: Kysely<FlowTables>, merchantId: string): Promise<Set<string>> {
  const rows = await executor
    .selectFrom('flowSecrets')
    .select('name')
    .where('merchantId', '=', merchantId)
    .execute();
  return new Set(rows.map(({ name }) => name));
}

async function publishedFlows(
  executor: Kysely<FlowTables>,
  merchantId: string,
  ids: readonly string[],
): Promise<Map<string, FlowDefinition>> {
  const rows = await executor
    .selectFrom('flows')
    .innerJoin('flowVersions', (join) =>
      join
        .onRef('flowVersions.flowId', '=', 'flows.id')
        .onRef('flowVersions.version', '=', 'flows.publishedVersion'),
    )
    .select(['flows.id', 'flowVersions.definition'])
    .where('flows.merchantId', '=', merchantId)
    .where('flows.id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, JSON.parse(row.definition) as FlowDefinition]));
}
