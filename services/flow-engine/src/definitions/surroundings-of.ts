import type { Kysely } from '@switchyard/database';
import { type DefinitionSurroundings, type FlowDefinition, messageTemplatesNamedBy } from '@switchyard/flows';
import type { FlowTables } from '../database/tables.ts';
import { knownTemplates } from '../templates/template-sets.ts';
import { flowsNamedBy } from './flow-bundle.ts';

/**
 * What a check must know of the merchant, as far as the definition names anything: published flows to call, and message templates
 * where those of any account are known.
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
  return {
    ...(templates === undefined ? {} : { templates }),
    ...(flows === undefined ? {} : { flows }),
  };
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
