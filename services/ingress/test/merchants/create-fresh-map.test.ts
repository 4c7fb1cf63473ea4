import t from 'tap';
import { createFreshMap } from '../../src/merchants/create-fresh-map.ts';

t.test('callers at the same time share one load, and a fresh value is not loaded again', async (t) => {
  let loads = 0;
  const map = createFreshMap({ ttlMs: 60_000, maxEntries: 10, load: async (key) => `${key}${++loads}` });
  t.same(await Promise.all([map.get('a'), map.get('a'), map.get('b')]), ['a1', 'a1', 'b2']);
  t.equal(await map.get('a'), 'a1');
  map.forget('a');
  t.equal(map.peek('a'), undefined);
  t.equal(await map.get('a'), 'a3');
});

t.test('a value that was forgotten while it was loaded is not kept', async (t) => {
  const loaded = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  let loads = 0;
  const map = createFreshMap({ ttlMs: 60_000, maxEntries: 10, load: () => loaded[loads++]!.promise });
  const before = map.get('a');
  map.forget();
  const after = map.get('a');
  loaded[0]!.resolve('old');
  loaded[1]!.resolve('new');
  t.same(await Promise.all([before, after]), ['old', 'new']);
  t.equal(map.peek('a'), 'new');
});

t.test('while the loader fails, what was known stands in; what was never known is an error', async (t) => {
  let isAway = false;
  const load = async (key: string) => {
    if (isAway) throw new Error('away');
    return key;
  };
  const map = createFreshMap({ ttlMs: 0, maxEntries: 10, load });
  await map.get('a');
  isAway = true;
  t.equal(await map.get('a'), 'a');
  await t.rejects(Promise.resolve(map.get('b')), { message: 'away' });
});

t.test('it never holds more than it may', async (t) => {
  const map = createFreshMap({ ttlMs: 60_000, maxEntries: 2, load: async (key) => key });
  for (const key of ['a', 'b', 'c']) await map.get(key);
  t.same(['a', 'b', 'c'].map(map.peek), [undefined, 'b', 'c']);
});
