/** Why content can't be sent, and the field at fault, counted from the content itself. */
export interface ContentProblem {
  /** Path such as `action.buttons.0.reply.title`; empty for the content as a whole. */
  field: string;
  message: string;
}

/** Names a problem. */
export function problem(field: string, message: string): ContentProblem {
  return { field, message };
}

/** Joins a path and what is below it. */
export function join(...parts: readonly (string | number)[]): string {
  return parts.filter((part) => part !== '').join('.');
}

/** The first value that more than one item has. */
export function firstRepeated<T>(items: readonly T[]): number {
  const seen = new Set<T>();
  return items.findIndex((item) => {
    if (seen.has(item)) return true;
    seen.add(item);
    return false;
  });
}
