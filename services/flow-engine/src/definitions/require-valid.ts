import { checkDefinition, type DefinitionSurroundings, type FlowDefinition } from '@switchyard/flows';
import { flowInvalid } from '../errors.ts';

/** A value as a definition. @throws FLOW_INVALID naming the nodes. */
export function requireValid(value: unknown, surroundings?: DefinitionSurroundings): FlowDefinition {
  const problems = checkDefinition(value, surroundings);
  const [first] = problems;
  if (!first) return value as FlowDefinition;
  const where = first.node === undefined ? first.path || 'the definition' : `node "${first.node}"`;
  throw flowInvalid(`${where} ${first.message}`, { details: { problems } });
}
