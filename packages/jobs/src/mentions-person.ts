/** What a person is known by. */
export interface PersonIdentifier {
  readonly kind: string;
  readonly value: string;
}

/** Shorter texts occur by chance. */
const SHORTEST = 4;

/**
 * Makes a test for texts that name a person: by phone number (with or without `+`, as whole digits), by id, or by email in any case
 * of letters. For owners that must find a person in bodies they do not index.
 */
export function createPersonFinder(identifiers: readonly PersonIdentifier[]): (text: string) => boolean {
  const patterns = identifiers.flatMap(({ kind, value }) => {
    const needle = needleOf({ kind, value });
    if (needle === undefined) return [];
    const isDigits = /^\d+$/.test(needle);
    const exact = needle.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return [new RegExp(isDigits ? `(?<!\\d)${exact}(?!\\d)` : `(?<![\\w.])${exact}(?![\\w])`, 'i')];
  });
  return (text) => patterns.some((pattern) => pattern.test(text));
}

/** The part of an identifier that a text holds if it names the person; undefined where that is too short to tell. */
export function needleOf({ kind, value }: PersonIdentifier): string | undefined {
  const needle = kind === 'phone' ? value.replaceAll(/\D/g, '') : value;
  return needle.length < SHORTEST ? undefined : needle;
}
