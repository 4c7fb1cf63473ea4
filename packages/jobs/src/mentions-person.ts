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

/**
 * What is left of a job's data without a person. A job may be about several (messages, statuses, events): an entry of such a list
 * that names the person goes, the others stay.
 *
 * @param data as JSON, with its envelope.
 * @returns undefined where nothing is left, or where the person is named outside of lists: then all of it goes.
 */
export function withoutPerson(data: string, isNamed: (text: string) => boolean): string | undefined {
  const envelope = parseObject(data);
  const payload = envelope?.payload;
  if (!isObject(payload)) return undefined;
  const left: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(payload)) {
    left[field] = value;
    if (!Array.isArray(value) || !value.every(isObject)) continue;
    const others = value.filter((entry) => !isNamed(JSON.stringify(entry)));
    if (others.length === 0 && value.length > 0) return undefined;
    left[field] = others;
  }
  const rest = JSON.stringify({ ...envelope, payload: left });
  return isNamed(rest) ? undefined : rest;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
