import Type, { type TSchema } from 'typebox';

/** A setting that is missing, malformed or contradicts another. Its message is one line and names the variable. */
export class ConfigError extends Error {
  readonly variable: string;

  constructor(variable: string, problem: string) {
    super(`${variable} ${problem}`);
    this.name = 'ConfigError';
    this.variable = variable;
  }
}

/** How one environment variable is read. */
export interface FieldOptions<T> {
  /** One sentence for `.env.example`. */
  description: string;
  /** Used when the variable is unset or empty. Without it the field is required, unless `optional`. */
  default?: T;
  /** The field may stay undefined. */
  optional?: boolean;
  /** Must be set when `NODE_ENV=production`, whatever the default. */
  requiredInProduction?: boolean;
  /** Its value is a secret: never logged, and documented as such. */
  secret?: boolean;
}

/** An environment variable's schema and the way to read it. */
export interface Field<T = unknown> {
  readonly variable: string;
  readonly schema: TSchema;
  readonly options: FieldOptions<T>;
  /** Turns the raw text into the value that the schema checks. @throws Error with what is wrong. */
  readonly parse: (raw: string) => T;
}

/** Property name in the configuration → how it is read. */
export type ConfigFields = Record<string, Field>;

type Optional<O> = O extends { optional: true } ? undefined : never;

function make<T, const O extends FieldOptions<T>>(
  variable: string,
  schema: TSchema,
  options: O,
  parse: (raw: string) => T,
): Field<T | Optional<O>> {
  return { variable, schema, options: options as FieldOptions<T | Optional<O>>, parse };
}

function integer(raw: string): number {
  if (!/^-?\d+$/.test(raw)) throw new Error('must be a whole number');
  return Number(raw);
}

function decimal(raw: string): number {
  if (!/^-?\d+(\.\d+)?$/.test(raw)) throw new Error('must be a number');
  return Number(raw);
}

function boolean(raw: string): boolean {
  if (raw === 'true' || raw === '1') return true;
  if (raw === 'false' || raw === '0') return false;
  throw new Error('must be true or false');
}

/** Makers of fields, one per kind of value. */
export const field = {
  string<const O extends FieldOptions<string> & { minLength?: number; pattern?: string }>(
    variable: string,
    options: O,
  ) {
    const schema = Type.String({
      minLength: options.minLength ?? 1,
      ...(options.pattern === undefined ? {} : { pattern: options.pattern }),
    });
    return make<string, O>(variable, schema, options, (raw) => raw);
  },
  integer<const O extends FieldOptions<number> & { minimum?: number; maximum?: number }>(
    variable: string,
    options: O,
  ) {
    const schema = Type.Integer({
      ...(options.minimum === undefined ? {} : { minimum: options.minimum }),
      ...(options.maximum === undefined ? {} : { maximum: options.maximum }),
    });
    return make<number, O>(variable, schema, options, integer);
  },
  number<const O extends FieldOptions<number> & { minimum?: number; maximum?: number }>(
    variable: string,
    options: O,
  ) {
    const schema = Type.Number({
      ...(options.minimum === undefined ? {} : { minimum: options.minimum }),
      ...(options.maximum === undefined ? {} : { maximum: options.maximum }),
    });
    return make<number, O>(variable, schema, options, decimal);
  },
  boolean<const O extends FieldOptions<boolean>>(variable: string, options: O) {
    return make<boolean, O>(variable, Type.Boolean(), options, boolean);
  },
  /** One of a fixed set of words. */
  choice<const V extends string, const O extends FieldOptions<NoInfer<V>>>(
    variable: string,
    values: readonly V[],
    options: O,
  ) {
    return make<V, O>(variable, Type.Union(values.map((value) => Type.Literal(value))), options, (raw) => {
      if (!(values as readonly string[]).includes(raw))
        throw new Error(`must be one of ${values.join(', ')}`);
      return raw as V;
    });
  },
  /** An absolute URL with one of the given protocols (`['https:', 'http:']`). */
  url<const O extends FieldOptions<string> & { protocols: readonly string[] }>(variable: string, options: O) {
    return make<string, O>(variable, Type.String(), options, (raw) => {
      const protocols = options.protocols.map((protocol) => `${protocol}//`).join(' or ');
      let url: URL;
      try {
        url = new URL(raw);
      } catch {
        throw new Error(`must be a URL that starts with ${protocols}`);
      }
      if (!options.protocols.includes(url.protocol))
        throw new Error(`must be a URL that starts with ${protocols}`);
      return raw;
    });
  },
  /** Comma-separated, blanks trimmed, empty entries dropped. */
  list<const O extends FieldOptions<string[]>>(variable: string, options: O) {
    return make<string[], O>(variable, Type.Array(Type.String()), options, (raw) =>
      raw
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== ''),
    );
  },
};
