import fc from 'fast-check';
import t from 'tap';
import { createId } from '../src/index.ts';

t.test('ids sort by their time and fit a job id, a column and a URL', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 42 }), fc.integer({ min: 1, max: 1000 }), (atMs, laterMs) => {
      const [first, second] = [createId('msg', atMs), createId('msg', atMs + laterMs)];
      return first < second && /^msg_[0-9a-v]+$/.test(first) && first.length === second.length;
    }),
  );
  t.pass('held');
});

t.test('ids that a process makes for one millisecond sort in the order of their making', async (t) => {
  const ids = Array.from({ length: 30_000 }, () => createId('x', 7));
  t.strictSame(ids.toSorted(), ids);
});

t.test('a hundred thousand ids of one millisecond differ', async (t) => {
  t.equal(new Set(Array.from({ length: 100_000 }, () => createId('x', 1))).size, 100_000);
});
