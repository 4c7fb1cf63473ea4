import type { Field, Query, Value } from './parse-query.ts';

/** An object that fields are read from; a function is a field with arguments. */
export type Resolvable = Record<string, unknown>;

/** What a query came to. */
export interface QueryResult {
  data: Record<string, unknown>;
  /** Objects that were returned: what the query really cost. */
  objects: number;
}

/** Runs a query. @throws Error where a field does not exist. */
export function runQuery(query: Query, root: Resolvable, variables: Record<string, unknown>): QueryResult {
  let objects = 0;
  function read(fields: readonly Field[], from: Resolvable, type: string): Record<string, unknown> {
    objects += 1;
    const result: Record<string, unknown> = {};
    for (const { name, alias, args, fields: inner } of fields) {
      if (name === '__typename') {
        result[alias] = type;
        continue;
      }
      if (!(name in from)) throw new Error(`Field '${name}' doesn't exist on type '${type}'`);
      const raw = from[name];
      const value = typeof raw === 'function' ? raw(resolveAll(args, variables)) : raw;
      result[alias] = shape(value, inner, name);
    }
    return result;
  }
  function shape(value: unknown, fields: readonly Field[], name: string): unknown {
    if (value === null || value === undefined) return null;
    if (Array.isArray(value)) return value.map((each) => shape(each, fields, name));
    if (typeof value !== 'object') return value;
    if (fields.length === 0) throw new Error(`Field must have selections (field '${name}')`);
    return read(fields, value as Resolvable, name);
  }
  return { data: read(query.fields, root, 'QueryRoot'), objects: objects - 1 };
}

/** What a query could cost at most: one for each object, two for each connection and what its nodes cost, as often as it may have. */
export function requestedCost(query: Query, variables: Record<string, unknown>): number {
  const costOf = (fields: readonly Field[]): number =>
    fields.reduce((sum, { args, fields: inner }) => {
      if (inner.length === 0) return sum;
      const first = resolve(args.first ?? args.last ?? null, variables);
      if (typeof first !== 'number') return sum + 1 + costOf(inner);
      const nodes = inner.find(({ name }) => name === 'nodes');
      return sum + 2 + first * (1 + costOf(nodes?.fields ?? []));
    }, 0);
  return costOf(query.fields);
}

function resolveAll(
  args: Record<string, Value>,
  variables: Record<string, unknown>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, resolve(value, variables)]));
}

function resolve(value: Value, variables: Record<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((each) => resolve(each, variables));
  if (typeof value !== 'object' || value === null) return value;
  if ('variable' in value) return variables[value.variable as string] ?? null;
  return resolveAll(value.object as Record<string, Value>, variables);
}
