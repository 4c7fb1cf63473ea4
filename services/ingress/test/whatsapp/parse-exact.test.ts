import fc from 'fast-check';
import { parse as parseLossless, stringify as stringifyLossless } from 'lossless-json';
import t from 'tap';
import { parseExact, reviveExact } from '../../src/whatsapp/parse-exact.ts';

function parsed(text: string) {
  const result = parseExact(Buffer.from(text));
  if (!result.ok) throw new Error(result.problem);
  return result;
}

t.test('a number that a double holds stays a number; a longer whole number comes as its text', async (t) => {
  const { value, exact } = parsed(
    '{"a":1,"b":9007199254740991,"c":9007199254740993,"d":-12345678901234567890}',
  );
  t.same(value, { a: 1, b: 9007199254740991, c: '9007199254740993', d: '-12345678901234567890' });
  t.equal(exact, false);
  t.same(parsed('[1.5, 37.44216251868683, 1e3, 1e400]').value, [1.5, 37.44216251868683, 1000, '1e400']);
});

t.test('digits inside strings are left alone', async (t) => {
  const { value, exact } = parsed('{"text":"call : 12345678901234567890, [1e9]"}');
  t.same(value, { text: 'call : 12345678901234567890, [1e9]' });
  t.equal(exact, true);
});

t.test('what is kept is written back digit for digit', async (t) => {
  const text = '{"id":12345678901234567890,"list":[{"n":9007199254740993}],"x":1e400,"ok":1}';
  t.equal(JSON.stringify(reviveExact(text)), text);
});

t.test('property: no whole number of any length is ever changed', async () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt()), (numbers) => {
      const { value } = parsed(`{"n":[${numbers.join(',')}]}`);
      const read = (value as { n: unknown[] }).n;
      return numbers.every((number, index) => String(read[index]) === String(number));
    }),
  );
});

t.test('property: any JSON survives being kept, as a lossless parser reads it', async () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      const result = parsed(text);
      const kept = result.exact ? JSON.stringify(result.value) : JSON.stringify(reviveExact(text));
      return (
        stringifyLossless(parseLossless(kept)) ===
        stringifyLossless(parseLossless(JSON.stringify(JSON.parse(text))))
      );
    }),
  );
});

t.test('what is not UTF-8, not JSON or nested too deep is told apart and never throws', async (t) => {
  const problems = [
    Buffer.from([0x7b, 0xff, 0x7d]),
    Buffer.from('{'),
    Buffer.from('['.repeat(100_000)),
    Buffer.from(''),
  ];
  t.same(
    problems.map((body) => parseExact(body)),
    ['not-utf8', 'not-json', 'not-json', 'not-json'].map((problem) => ({ ok: false, problem })),
  );
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  t.same(parseExact(Buffer.from(deep)), { ok: false, problem: 'nested-too-deep' });
  t.equal(parseExact(Buffer.from(`${'{"a":'.repeat(60)}1${'}'.repeat(60)}`)).ok, true);
});
