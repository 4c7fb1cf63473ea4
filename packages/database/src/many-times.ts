import { CompiledQuery } from 'kysely';

/** A statement to run once for each set of parameters; SQLite's driver knows it. */
export interface ManyTimes extends CompiledQuery {
  readonly parameterSets: readonly (readonly unknown[])[];
}

/** Makes a statement that SQLite runs once for each set of parameters: all or none, and prepared once. */
export function manyTimes(sql: string, parameterSets: readonly (readonly unknown[])[]): ManyTimes {
  return { ...CompiledQuery.raw(sql), parameterSets };
}

/** Tells such a statement from others. */
export function isManyTimes(query: CompiledQuery): query is ManyTimes {
  return 'parameterSets' in query;
}
