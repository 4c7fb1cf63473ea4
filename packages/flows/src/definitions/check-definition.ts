import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { findGraphProblems } from './checks/graph.ts';
import {
  findMessageTemplateProblems,
  findMessageTemplateWarnings,
  type KnownTemplates,
} from './checks/message-templates.ts';
import { findNodeProblems } from './checks/nodes.ts';
import { findTemplateProblems } from './checks/templates.ts';
import { findTriggerProblems } from './checks/triggers.ts';
import { findTypeProblems } from './checks/types.ts';
import { FlowDefinition, nodesByKind, triggersByKind } from './definition.ts';

/** Something wrong in a definition. */
export interface DefinitionProblem {
  /** The node at fault, where there is one. */
  node?: string;
  /** Where in the definition, as a JSON pointer. */
  path: string;
  message: string;
}

/** What a check may know of the merchant; what is not known is not checked. */
export interface DefinitionSurroundings {
  /** The flows that can be called, with the inputs that they declare. */
  flows?: ReadonlyMap<string, { inputs?: FlowDefinition['inputs'] }>;
  /** The message templates that there are. */
  templates?: KnownTemplates;
  /** Names of the merchant's secrets. */
  secrets?: ReadonlySet<string>;
}

const compiled = new Map<TSchema, ReturnType<typeof Compile>>();
function compile(schema: TSchema) {
  const known = compiled.get(schema) ?? Compile(schema);
  compiled.set(schema, known);
  return known;
}

/** A pattern of keys says nothing about keys that don't match it. */
const NODE_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** More nodes than a person can read; a flow that needs them is better split. */
const MAX_NODES = 500;
const PROBLEMS_MOST = 50;

/**
 * Finds everything that is wrong with a definition before anyone runs it.
 *
 * @returns no problems: the value is a {@link FlowDefinition} whose runs cannot fall off the end, cannot loop without a wait and
 * use only templates that parse.
 */
export function checkDefinition(
  value: unknown,
  surroundings: DefinitionSurroundings = {},
): DefinitionProblem[] {
  const malformed = findSchemaProblems(value);
  if (malformed.length > 0) return malformed.slice(0, PROBLEMS_MOST);
  const definition = value as FlowDefinition;
  const names = Object.keys(definition.nodes);
  if (names.length > MAX_NODES)
    return [{ path: '/nodes', message: `must not hold more than ${MAX_NODES} nodes` }];
  const misnamed = names.filter((name) => !NODE_NAME.test(name));
  if (misnamed.length > 0)
    return misnamed.map((node) => ({
      node,
      path: `/nodes/${node}`,
      message: 'must be named by a letter and up to 63 letters, digits, "-" or "_"',
    }));
  const { dangling, unreachable, endless } = findGraphProblems(definition);
  if (dangling.length > 0) return dangling.slice(0, PROBLEMS_MOST);
  return [
    ...unreachable,
    ...endless,
    ...findTriggerProblems(definition),
    ...findNodeProblems(definition),
    ...findMessageTemplateProblems(definition, surroundings.templates),
    ...findTemplateProblems(definition, surroundings),
    ...findTypeProblems(definition, surroundings),
  ].slice(0, PROBLEMS_MOST);
}

/**
 * What does not keep a definition from being run, and should be known all the same: message templates that can't be sent at present.
 *
 * @param definition one without problems.
 */
export function findWarnings(
  definition: FlowDefinition,
  surroundings: DefinitionSurroundings,
): DefinitionProblem[] {
  return findMessageTemplateWarnings(definition, surroundings.templates).slice(0, PROBLEMS_MOST);
}

/** What no schema allows. Nodes and triggers are held to the schema of their kind, so that the field at fault is named. */
function findSchemaProblems(value: unknown): DefinitionProblem[] {
  if (compile(FlowDefinition).Check(value)) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [{ path: '', message: 'must be an object' }];
  const { nodes, triggers } = value as Record<string, unknown>;
  const problems = [...compile(FlowDefinition).Errors(value)]
    .map(({ instancePath, message }) => ({ path: instancePath, message }))
    .filter(({ path }) => !/^\/(nodes|triggers)\/./.test(path));
  const ofKinds = (area: unknown, path: string, schemas: Readonly<Record<string, TSchema>>) =>
    typeof area === 'object' && area !== null
      ? Object.entries(area).flatMap(([key, each]) => findKindProblems(each, `${path}/${key}`, schemas))
      : [];
  problems.push(...ofKinds(triggers, '/triggers', triggersByKind));
  problems.push(...ofKinds(nodes, '/nodes', nodesByKind));
  const found = problems.length > 0 ? problems : [{ path: '', message: 'is no flow definition' }];
  return found.map((problem) => ({ ...nodeOf(problem.path), ...problem }));
}

function findKindProblems(
  value: unknown,
  path: string,
  schemas: Readonly<Record<string, TSchema>>,
): { path: string; message: string }[] {
  const kind = (value as { kind?: unknown } | null)?.kind;
  const schema = typeof kind === 'string' && Object.hasOwn(schemas, kind) ? schemas[kind] : undefined;
  if (!schema)
    return [{ path: `${path}/kind`, message: `must be one of ${Object.keys(schemas).join(', ')}` }];
  if (compile(schema).Check(value)) return [];
  return [...compile(schema).Errors(value)].map(({ instancePath, message, ...rest }) => {
    const extra = (rest as { params?: { additionalProperties?: string[] } }).params?.additionalProperties;
    return {
      path: `${path}${instancePath}`,
      message:
        extra === undefined
          ? message
          : `must not have the field ${extra.map((each) => `"${each}"`).join(', ')}`,
    };
  });
}

function nodeOf(path: string): { node?: string } {
  const [, area, node] = path.split('/');
  return area === 'nodes' && node !== undefined ? { node } : {};
}
