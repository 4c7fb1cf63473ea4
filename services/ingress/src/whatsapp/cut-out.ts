import { reviveExact } from './parse-exact.ts';
import { asObject, type JsonObject } from './read-json.ts';
import type { Place } from './split-payload.ts';

/**
 * Cuts one part out of a payload as a webhook of its own, so that it can be kept whole and split again later. Its change and
 * entry come with it; of a list, only the element it points at.
 *
 * @param payload the parsed body.
 * @param original the body's text where `payload` lacks numbers that a double can't hold; they are written as they were.
 * @returns JSON text.
 */
export function cutOut(payload: unknown, place: Place, original?: string): string {
  const root = asObject(original === undefined ? payload : reviveExact(original)) ?? {};
  const entry = (root.entry as unknown[])[place.entry];
  if (place.change === undefined) return JSON.stringify({ ...root, entry: [entry] });
  const entryObject = entry as JsonObject;
  let change = (entryObject.changes as unknown[])[place.change];
  if (place.element) {
    const { list, index } = place.element;
    const changeObject = change as JsonObject;
    const value = changeObject.value as JsonObject;
    // What stands beside the lists belongs to all of their elements, and is an event of its own already.
    const { messaging_product, metadata, contacts } = value;
    change = {
      ...changeObject,
      value: { messaging_product, metadata, contacts, [list]: [(value[list] as unknown[])[index]] },
    };
  }
  return JSON.stringify({ ...root, entry: [{ ...entryObject, changes: [change] }] });
}
