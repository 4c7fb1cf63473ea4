/** A longer list is rare, and its parameters are many enough. */
const PADDED_MOST = 512;

/**
 * Repeats the last of some keys until they are 1, 2, 4, 8 … in number, for an `in` list: means the same, and lists of any length make
 * a handful of statements, which SQLite keeps prepared, where each would be read anew otherwise.
 */
export function padKeys(keys: readonly string[]): readonly string[] {
  const last = keys.at(-1);
  if (last === undefined || keys.length > PADDED_MOST) return keys;
  const size = 2 ** Math.ceil(Math.log2(keys.length));
  return [...keys, ...Array<string>(size - keys.length).fill(last)];
}
