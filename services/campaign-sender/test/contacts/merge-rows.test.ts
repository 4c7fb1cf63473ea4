import fc from 'fast-check';
import t from 'tap';
import { setAttributes, setFields } from '../../src/contacts/contact-fields.ts';
import { type ContactRow, newContact } from '../../src/contacts/contact-store.ts';
import { mergeRows } from '../../src/contacts/merge-rows.ts';

const word = fc.constantFrom('a', 'b', 'c', '__proto__', 'toString');
const time = fc.integer({ min: 1, max: 6 });

/** A contact as its history made it. */
const contact = (id: string): fc.Arbitrary<ContactRow> =>
  fc
    .record({
      createdAtMs: time,
      tags: fc.uniqueArray(word, { maxLength: 3 }),
      optedOut: fc.boolean(),
      handlerSinceMs: fc.option(time),
      lastInboundAtMs: fc.option(time),
      unreadCount: fc.nat(3),
      edits: fc.array(
        fc.oneof(
          fc.record({ field: fc.constantFrom('name', 'phone', 'email'), value: fc.option(word), atMs: time }),
          fc.record({ attribute: word, value: fc.option(word), atMs: time }),
        ),
        { maxLength: 6 },
      ),
    })
    .map(({ createdAtMs, tags, optedOut, handlerSinceMs, edits, ...rest }) => {
      const row = newContact('default', [{ kind: 'user_id', value: id }], createdAtMs, { optedOut });
      Object.assign(row, rest, { id, tags: JSON.stringify(tags.toSorted()) });
      if (handlerSinceMs !== null)
        Object.assign(row, { handler: 'person', handlerSinceMs, handlerUserId: id });
      // A contact's own history is in order.
      for (const edit of edits.toSorted((a, b) => a.atMs - b.atMs))
        if ('field' in edit) setFields(row, { [edit.field as 'name']: edit.value }, createdAtMs + edit.atMs);
        else setAttributes(row, Object.fromEntries([[edit.attribute, edit.value]]), createdAtMs + edit.atMs);
      return row;
    });

/** What is known of the person, without the place in line. */
const known = ({ lastSequence: _, heldEvents: __, updatedAtMs: ___, ...row }: ContactRow) => row;

t.test('contacts that become one are the same contact in whatever order they do', async (t) => {
  const property = fc.property(contact('a'), contact('b'), contact('c'), (a, b, c) => {
    t.strictSame(known(mergeRows(a, b)), known(mergeRows(b, a)));
    const ways = [
      mergeRows(mergeRows(a, b), c),
      mergeRows(a, mergeRows(b, c)),
      mergeRows(mergeRows(c, a), b),
      mergeRows(c, mergeRows(b, a)),
    ].map(known);
    for (const way of ways) t.strictSame(way, ways[0]);
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }));
});

t.test('nothing that somebody said is lost: the later of two values, all tags, one opt-out', async (t) => {
  const property = fc.property(contact('a'), contact('b'), (a, b) => {
    const merged = mergeRows(a, b);
    const tags = JSON.parse(merged.tags) as string[];
    for (const row of [a, b])
      for (const tag of JSON.parse(row.tags) as string[]) if (!tags.includes(tag)) return false;
    return (
      merged.optedOut === Math.max(a.optedOut, b.optedOut) &&
      merged.unreadCount === a.unreadCount + b.unreadCount &&
      (merged.name === a.name || merged.name === b.name)
    );
  });
  t.doesNotThrow(() => fc.assert(property));
  const older = newContact('default', [], 1, { name: 'Ana' });
  const newer = newContact('default', [], 2, { name: 'Anna' });
  t.equal(mergeRows(newer, older).name, 'Anna');
  t.equal(mergeRows(newer, older).id, older.id);
  setFields(older, { name: 'Anna Maria' }, 3);
  t.equal(mergeRows(newer, older).name, 'Anna Maria');
});
