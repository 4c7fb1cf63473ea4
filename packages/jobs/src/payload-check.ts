import type { TObject } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { catalog, type QueueName } from './catalog.ts';
import type { JobDefinition, QueueDefinition } from './define-queue.ts';
import { jobUnknown, payloadInvalid } from './errors.ts';

/** Compiled on first use: a service needs only a few of the catalog's schemas. */
const compiled = new Map<TObject, Validator>();

/** A queue's definition, without the types of its payloads. */
export function definitionOf(queue: QueueName): QueueDefinition {
  return catalog[queue] as unknown as QueueDefinition;
}

/** A job's definition, or undefined where the catalog has none of this name. */
export function jobDefinitionOf(queue: QueueName, name: string): JobDefinition | undefined {
  const { jobs } = definitionOf(queue);
  return Object.hasOwn(jobs, name) ? jobs[name] : undefined;
}

/**
 * Holds a payload against its job's schema.
 *
 * @returns the job's definition.
 * @throws JOB_UNKNOWN, PAYLOAD_INVALID (`details.field` is the field at fault; the message holds no value of it)
 */
export function checkPayload(queue: QueueName, name: string, payload: unknown): JobDefinition {
  const definition = jobDefinitionOf(queue, name);
  if (!definition) throw jobUnknown(`queue ${queue} has no job ${name}`, { details: { queue, job: name } });
  let validator = compiled.get(definition.schema);
  if (!validator) {
    validator = Compile(definition.schema);
    compiled.set(definition.schema, validator);
  }
  if (validator.Check(payload)) return definition;
  const field = faultyField(validator, payload);
  throw payloadInvalid(`payload of ${name} is not valid: ${field.path} ${field.problem}`, {
    details: { queue, job: name, field: field.path },
  });
}

function faultyField(validator: Validator, payload: unknown): { path: string; problem: string } {
  const errors = validator.Errors(payload);
  // A union reports the failures of all its members first; the deepest one says most.
  const error = errors.reduce<(typeof errors)[number] | undefined>(
    (deepest, each) => (deepest && deepest.instancePath.length >= each.instancePath.length ? deepest : each),
    undefined,
  );
  if (!error) return { path: 'payload', problem: 'does not fit the schema' };
  const missing = error.keyword === 'required' ? error.params.requiredProperties[0] : undefined;
  const path = [...error.instancePath.split('/').slice(1), ...(missing === undefined ? [] : [missing])].join(
    '.',
  );
  return {
    path: path === '' ? 'payload' : path,
    problem: missing === undefined ? error.message : 'must be present',
  };
}
