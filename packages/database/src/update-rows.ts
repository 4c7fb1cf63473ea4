import { CompiledQuery, type Kysely, type Selectable, type Updateable } from 'kysely';
import type { DialectName } from './dialects.ts';
import { manyTimes } from './many-times.ts';
import { quote } from './quote.ts';

/** One row's change. All rows of a call set and match the same columns. */
export interface RowUpdate<Row> {
  key: string;
  set: Updateable<Row>;
  /** What the row must still say; one that says something else is left alone. */
  match?: Partial<Selectable<Row>>;
}

/**
 * Changes many rows, each in its own way, by their key: MySQL is asked once, SQLite runs one prepared statement for each row, which
 * there is faster than a long statement that must be parsed first. One unit on both.
 *
 * @param keyColumn tells the rows of the call apart; each of its values comes once.
 * @param among values that a column of every row must have one of, such as the states a row may be in.
 * @returns how many rows matched.
 */
export async function updateRows<DB, T extends keyof DB & string>(
  executor: Kysely<DB>,
  dialect: DialectName,
  table: T,
  keyColumn: keyof DB[T] & string,
  updates: readonly RowUpdate<DB[T]>[],
  among: { readonly [C in keyof Selectable<DB[T]>]?: readonly Selectable<DB[T]>[C][] } = {},
): Promise<number> {
  const [first] = updates;
  if (first === undefined) return 0;
  const name = (column: string) => quote(column, dialect);
  const sets = Object.keys(first.set);
  const matches = Object.keys(first.match ?? {});
  const valuesOf = ({ set, match }: RowUpdate<DB[T]>) => ({
    set: sets.map((column) => (set as Record<string, unknown>)[column]),
    match: matches.map((column) => (match as Record<string, unknown>)[column]),
  });
  const limits = Object.entries(among as Record<string, readonly unknown[]>);
  const limit = limits.map(([column, list]) => ` and ${name(column)} in (${list.map(() => '?').join(', ')})`);
  const limitValues = limits.flatMap(([, list]) => list);

  const conditions = (value: (at: number) => string) =>
    matches.map((column, at) => ` and ${name(column)} = ${value(at)}`).join('');

  if (dialect === 'sqlite') {
    const assignments = sets.map((column) => `${name(column)} = ?`).join(', ');
    const sql = `update ${name(table)} set ${assignments} where ${name(keyColumn)} = ?${conditions(() => '?')}${limit.join('')}`;
    const parameterSets = updates.map((update) => {
      const values = valuesOf(update);
      return [...values.set, update.key, ...values.match, ...limitValues];
    });
    const { numAffectedRows } = await executor.executeQuery(manyTimes(sql, parameterSets));
    return Number(numAffectedRows ?? 0);
  }

  const keys = updates.map(({ key }) => key);
  const all = updates.map(valuesOf);
  const parameters: unknown[] = [];
  /** The column's value for each key; one value where they are all the same, since a branch costs a comparison per row. */
  const byKey = (values: readonly unknown[]): string => {
    if (values.every((value) => value === values[0])) {
      parameters.push(values[0]);
      return '?';
    }
    for (const [index, value] of values.entries()) parameters.push(keys[index], value);
    return `case ${name(keyColumn)}${' when ? then ?'.repeat(values.length)} end`;
  };
  const assignments = sets.map((column, at) => `${name(column)} = ${byKey(all.map(({ set }) => set[at]))}`);
  parameters.push(...keys);
  const condition = conditions((at) => byKey(all.map(({ match }) => match[at])));
  parameters.push(...limitValues);
  const sql = `update ${name(table)} set ${assignments.join(', ')} where ${name(keyColumn)} in (${keys.map(() => '?').join(', ')})${condition}${limit.join('')}`;
  const { numAffectedRows } = await executor.executeQuery(CompiledQuery.raw(sql, parameters));
  return Number(numAffectedRows ?? 0);
}
