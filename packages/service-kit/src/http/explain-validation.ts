import type { FastifySchemaValidationError } from 'fastify';

/** What is wrong with one field of a request. */
export interface FieldProblem {
  field: string;
  problem: string;
}

/** An error of Ajv, and what a caller reads of it. */
interface Finding {
  schemaPath: string;
  /** Where the validator found it: an object where one of its fields is missing or too much. */
  depth: number;
  path: string[];
  problem: string;
  /** What would have been right, where it is a value or a type. */
  choice?: string;
  kind: 'value' | 'type' | 'other';
}

/**
 * Tells what a validator found as fields and problems. Of a value that may be one of several, Ajv reports what is wrong with each: a
 * caller is told of the one that was meant, as far as can be seen, and of a fixed set the values to choose from.
 *
 * @param part where the fields are: `body`, `querystring`, `headers` or `params`.
 */
export function explainValidation(
  errors: readonly FastifySchemaValidationError[],
  part: string,
): FieldProblem[] {
  let findings: Finding[] = [];
  // Ajv reports the branches of a choice before the choice itself, the inner choice before the outer one.
  for (const error of errors) {
    if (error.keyword !== 'anyOf') {
      findings.push(toFinding(error));
      continue;
    }
    const start = `${error.schemaPath}/`;
    const isOfBranch = ({ schemaPath }: Finding) => schemaPath.startsWith(start);
    const branches = Map.groupBy(findings.filter(isOfBranch), ({ schemaPath }) =>
      Number.parseInt(schemaPath.slice(start.length), 10),
    );
    findings = findings.filter((each) => !isOfBranch(each));
    findings.push(...choose([...branches.values()], toFinding(error)));
  }
  return findings.map(({ path, problem }) => ({ field: [part, ...path].join('.'), problem }));
}

function toFinding(error: FastifySchemaValidationError): Finding {
  const { keyword, params, message, instancePath, schemaPath } = error;
  const path = instancePath.split('/').slice(1);
  const found = { schemaPath, depth: path.length, path, kind: 'other' as const };
  switch (keyword) {
    // Ajv blames the object; the caller looks for the property.
    case 'required':
      return { ...found, path: [...path, String(params.missingProperty)], problem: 'must be present' };
    case 'additionalProperties':
      return { ...found, path: [...path, String(params.additionalProperty)], problem: 'is not known here' };
    case 'const':
      return {
        ...{ ...found, kind: 'value', choice: String(params.allowedValue) },
        problem: `must be ${params.allowedValue}`,
      };
    case 'type':
      return { ...found, kind: 'type', choice: String(params.type), problem: `must be ${params.type}` };
    default:
      return { ...found, problem: message ?? keyword };
  }
}

/** What to say of a value that is none of several. @param whole the choice itself. */
function choose(branches: readonly Finding[][], whole: Finding): Finding[] {
  const choices = branches.map(([only, ...more]) =>
    more.length === 0 && only?.depth === whole.depth ? only.choice : undefined,
  );
  if (choices.length > 0 && choices.every((choice) => choice !== undefined)) {
    const different = [...new Set(choices)];
    const choice = different.join(', ');
    return [{ ...whole, choice, problem: `must be ${different.length > 1 ? 'one of ' : ''}${choice}` }];
  }
  return branches.toSorted((a, b) => likelihood(b) - likelihood(a))[0] ?? [whole];
}

/**
 * How likely a branch was meant: least where a field that tells branches apart has another value, more the deeper what is wrong lies, since
 * all around it is right, and less where the type is another.
 */
function likelihood(branch: readonly Finding[]): number {
  const each = branch.map(({ kind, depth }) =>
    kind === 'value' ? -1 : 2 * depth + (kind === 'type' ? 0 : 1),
  );
  return Math.max(...each);
}
