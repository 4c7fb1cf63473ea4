/**
 * Whether somebody who wants some types of events wants this one.
 *
 * @param wanted `*` for all, `message.*` for a family, or a type.
 */
export function matchesEventType(wanted: readonly string[], type: string): boolean {
  return wanted.some(
    (pattern) =>
      pattern === '*' ||
      pattern === type ||
      (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1))),
  );
}
