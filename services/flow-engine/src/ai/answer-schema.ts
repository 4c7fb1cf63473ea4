import { Compile, type Validator } from 'typebox/compile';
import { aiSchemaInvalid } from '../errors.ts';

type JsonSchema = Record<string, unknown>;

/** What schemas may say. Not among them: patterns, which could be written to take for ever, and references. */
const keywords = new Set([
  ...['type', 'title', 'description', 'enum', 'const', 'default', 'examples'],
  ...['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties'],
  ...['items', 'minItems', 'maxItems', 'uniqueItems'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength'],
  ...['anyOf', 'nullable', '$schema'],
]);
const types = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']);
const DEEPEST = 6;
const LONGEST = 16_384;

/** A schema that answers are held against. */
export interface AnswerSchema {
  readonly schema: JsonSchema;
  /** What is wrong with a value, in words; undefined when it fits. */
  problemOf(value: unknown): string | undefined;
}

/**
 * Prepares a schema that a flow's author wrote; its top must be an object.
 *
 * @throws AI_SCHEMA_INVALID
 */
export function createAnswerSchema(schema: JsonSchema): AnswerSchema {
  if (JSON.stringify(schema).length > LONGEST)
    throw aiSchemaInvalid(`the schema is longer than ${LONGEST} characters`);
  check(schema, 'schema', 0);
  if (schema.type !== 'object') throw aiSchemaInvalid('the schema must describe an object');
  let validator: Validator;
  try {
    validator = Compile(schema as never);
  } catch (cause) {
    throw aiSchemaInvalid('the schema is not a JSON schema', { cause });
  }
  return {
    schema,
    problemOf(value) {
      const [problem] = validator.Errors(value);
      return problem === undefined ? undefined : `${problem.instancePath || 'the value'} ${problem.message}`;
    },
  };
}

/** The schema of an answer that is one of some labels. */
export function labelSchema(labels: readonly string[]): AnswerSchema {
  return createAnswerSchema({
    type: 'object',
    properties: { label: { type: 'string', enum: [...labels] } },
    required: ['label'],
    additionalProperties: false,
  });
}

function check(schema: unknown, path: string, depth: number): void {
  if (depth > DEEPEST) throw aiSchemaInvalid(`${path} is nested too deeply`);
  if (typeof schema === 'boolean') return;
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    throw aiSchemaInvalid(`${path} must be an object`);
  const each = schema as JsonSchema;
  for (const keyword of Object.keys(each))
    if (!keywords.has(keyword))
      throw aiSchemaInvalid(`${path} uses ${keyword.slice(0, 64)}, which is not supported`);
  for (const type of [each.type].flat())
    if (type !== undefined && !types.has(type as string))
      throw aiSchemaInvalid(`${path} has a type that is none`);
  for (const [name, inner] of Object.entries((each.properties ?? {}) as JsonSchema))
    check(inner, `${path}.${name.slice(0, 64)}`, depth + 1);
  for (const keyword of ['items', 'additionalProperties'] as const)
    if (each[keyword] !== undefined) check(each[keyword], `${path}.${keyword}`, depth + 1);
  for (const inner of (each.anyOf ?? []) as unknown[]) check(inner, `${path}.anyOf`, depth + 1);
}
