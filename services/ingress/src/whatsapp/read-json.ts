/** A JSON object whose inside is not ours. */
export type JsonObject = Record<string, unknown>;

/** The value as an object; undefined for anything else, arrays too. */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/**
 * An id as text: providers write them as strings mostly, as numbers sometimes.
 *
 * @returns undefined where it is neither, or empty, or longer than `maxLength`.
 */
export function readIdText(value: unknown, maxLength = 64): string | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && value.length > 0 && value.length <= maxLength ? value : undefined;
}

/** A short text, where it is one. */
export function readText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The year 5138 in seconds; read as milliseconds, 1973. What is larger is milliseconds already. */
const LARGEST_SECONDS = 100_000_000_000;

/**
 * A provider's time, in unix seconds (a string in messages, an integer elsewhere), as milliseconds.
 *
 * @returns undefined where it is no time.
 */
export function readTimeMs(value: unknown): number | undefined {
  const time = typeof value === 'string' && /^\d{1,13}$/.test(value) ? Number(value) : value;
  if (typeof time !== 'number' || !Number.isSafeInteger(time) || time <= 0) return undefined;
  return time < LARGEST_SECONDS ? time * 1000 : time;
}
