import { redact, scrubText } from '@switchyard/service-kit';

const stringLongest = 2000;
const entriesMost = 50;
const charactersMost = 20_000;

/**
 * What the dashboard shows of a job's data: secrets hidden, phone numbers masked, and so short that a page of jobs stays
 * light.
 */
export function showData(data: unknown): unknown {
  if (data === undefined || data === null) return data;
  const shown = shorten(maskValues(redact({ data }).data));
  const text = JSON.stringify(shown) ?? '';
  if (text.length <= charactersMost) return shown;
  return { cut: `${text.length} characters`, start: text.slice(0, stringLongest) };
}

/** Hides in an answer what can be told from text alone: failures quote providers, logs quote anything. */
export function scrubAnswer(value: unknown): unknown {
  if (typeof value === 'string') return scrubText(value);
  if (Array.isArray(value)) return value.map(scrubAnswer);
  if (typeof value !== 'object' || value === null) return value;
  // Ids and names are what the dashboard asks with: they must stay what they are.
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      key === 'id' || key === 'name' ? each : scrubAnswer(each),
    ]),
  );
}

/** A person's identifiers come as kind and value: the name `value` alone doesn't tell a phone number. */
function maskValues(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskValues);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      key === 'value' && typeof each === 'string' && /^\+?\d{7,15}$/.test(each)
        ? `***${each.slice(-4)}`
        : maskValues(each),
    ]),
  );
}

function shorten(value: unknown): unknown {
  if (typeof value === 'string')
    return value.length <= stringLongest
      ? value
      : `${value.slice(0, stringLongest)}… (${value.length} characters)`;
  if (Array.isArray(value)) {
    const kept = value.slice(0, entriesMost).map(shorten);
    return value.length <= entriesMost ? kept : [...kept, `… (${value.length} entries)`];
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shorten(each)]));
}
