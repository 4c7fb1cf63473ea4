import { readFileSync } from 'node:fs';
import { Value } from 'typebox/value';
import { ConfigError, type ConfigFields, type Field } from './fields.ts';

/** The configuration that a set of fields describes. */
export type ConfigOf<F extends ConfigFields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads, converts and checks a service's settings. Pure but for the files that `<NAME>_FILE` variables name.
 *
 * @param fields property name → {@link Field}.
 * @param env usually `process.env`, passed in by `main.ts` alone.
 * @returns a frozen object, typed from the fields.
 * @throws ConfigError one line that names the variable at fault; the first in the order of the fields.
 */
export function loadConfig<F extends ConfigFields>(fields: F, env: Environment): ConfigOf<F> {
  const production = env.NODE_ENV === 'production';
  const config: Record<string, unknown> = {};
  for (const [property, each] of Object.entries(fields)) config[property] = readField(each, env, production);
  return Object.freeze(config) as ConfigOf<F>;
}

function readField(each: Field, env: Environment, production: boolean): unknown {
  const { variable, options, schema } = each;
  const raw = readRaw(variable, env);
  if (raw === undefined) {
    if (production && options.requiredInProduction)
      throw new ConfigError(variable, 'must be set in production');
    if ('default' in options) return options.default;
    if (options.optional) return undefined;
    throw new ConfigError(variable, 'must be set');
  }
  let value: unknown;
  try {
    value = each.parse(raw);
  } catch (error) {
    throw new ConfigError(variable, (error as Error).message);
  }
  const [problem] = Value.Errors(schema, value);
  if (problem) throw new ConfigError(variable, problem.message);
  return value;
}

/** A variable's text: itself, or the contents of the file that `<NAME>_FILE` names (requirement R7.5). Empty means unset. */
function readRaw(variable: string, env: Environment): string | undefined {
  const direct = env[variable];
  const path = env[`${variable}_FILE`];
  if (direct && path) throw new ConfigError(variable, `and ${variable}_FILE are both set; set one`);
  if (direct) return direct;
  if (!path) return undefined;
  try {
    return readFileSync(path, 'utf8').trimEnd() || undefined;
  } catch (error) {
    throw new ConfigError(
      `${variable}_FILE`,
      `names a file that can't be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}
