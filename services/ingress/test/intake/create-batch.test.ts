import t from 'tap';
import { createBatch } from '../../src/intake/create-batch.ts';

t.test('calls of one turn are done together, and later ones again', async (t) => {
  const rounds: number[][] = [];
  const batch = createBatch(async (items: readonly number[]) => rounds.push([...items]));
  t.same(await Promise.all([batch([1]), batch([2, 3])]), [1, 1]);
  t.equal(await batch([4]), 2);
  t.same(rounds, [[1, 2, 3], [4]]);
});

t.test('a full round goes at once, and none is lost or done twice', async (t) => {
  const rounds: number[][] = [];
  const batch = createBatch(async (items: readonly number[]) => rounds.push([...items]), { fullAt: 2 });
  const answers = Promise.all([batch([1]), batch([2]), batch([3, 4, 5]), batch([6])]);
  t.same(rounds, [
    [1, 2],
    [3, 4, 5],
  ]);
  await answers;
  t.same(rounds.slice(2), [[6]]);
});

t.test('a failure fails the calls of its round alone', async (t) => {
  const batch = createBatch(async (items: readonly string[]) => {
    if (items.includes('bad')) throw new Error('bad');
    return items.length;
  });
  await t.rejects(Promise.all([batch(['bad']), batch(['x'])]), { message: 'bad' });
  t.equal(await batch(['x']), 1);
});
