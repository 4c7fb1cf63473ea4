/**
 * Whether an endpoint wants an event.
 *
 * @param wanted `*` for all, `message.*` for a family, or a type.
 */
export function matchesEvent(wanted: readonly string[], type: string): boolean {
  return wanted.some(
    (pattern) =>
      pattern === '*' ||
      pattern === type ||
      (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1))),
  );
}
