import { type RawBuilder, sql } from 'kysely';

/**
 * A value per row in one UPDATE: `case key when … then … end`, which both databases know.
 *
 * @param key the column that tells the rows apart.
 * @param values at least one; rows whose key is not among them keep `otherwise` (a column's name), or get null.
 */
export function valueByKey<T>(
  key: string,
  values: Iterable<readonly [string, T]>,
  otherwise?: string,
): RawBuilder<T> {
  const list = [...values];
  const [first] = list;
  // The usual case, and the cheap one: a branch per row costs the database a comparison per row and branch.
  if (first && otherwise === undefined && list.every(([, value]) => value === first[1]))
    return sql<T>`${first[1]}`;
  const branches = list.map(([id, value]) => sql`when ${id} then ${value}`);
  const rest = otherwise === undefined ? sql`` : sql` else ${sql.ref(otherwise)}`;
  return sql<T>`case ${sql.ref(key)} ${sql.join(branches, sql` `)}${rest} end`;
}
