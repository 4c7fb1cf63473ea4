import fc from 'fast-check';
import t from 'tap';
import { padKeys } from '../../src/database/pad-keys.ts';

t.test(
  'a padded list names the same keys, in at most ten lengths up to 512, and a longer one is left alone',
  async (t) => {
    const lengths = new Set<number>();
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 700, size: 'max' }), (keys) => {
        const padded = padKeys(keys);
        if (padded.length <= 512) lengths.add(padded.length);
        const isSame = [...new Set(padded)].join() === [...new Set(keys)].join();
        return (
          isSame &&
          (keys.length > 512
            ? padded.length === keys.length
            : padded.length < 2 * keys.length || keys.length === 0)
        );
      }),
    );
    t.ok([...lengths].every((length) => length === 0 || Number.isInteger(Math.log2(length))));
  },
);
