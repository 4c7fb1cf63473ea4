import fc from 'fast-check';
import t from 'tap';
import { estimateTokens, fitHistory } from '../../src/ai/fit-history.ts';

t.test('the newest messages that fit are kept, beginning with one of the person', async (t) => {
  const messages = [
    { role: 'user', content: 'one' },
    { role: 'assistant', content: [{ type: 'text', text: 'two' }, { type: 'image_url' }] },
    { role: 'user', content: 'three' },
    { role: 'assistant', content: '' },
    { role: 'user', content: 'four' },
  ];
  t.strictSame(
    fitHistory(messages, 1000).map(({ content }) => content),
    ['one', 'two', 'three', 'four'],
  );
  t.strictSame(
    fitHistory(messages, 18).map(({ content }) => content),
    ['three', 'four'],
  );
  t.strictSame(
    fitHistory(messages, 1).map(({ content }) => content.length > 0),
    [true],
  );
  t.strictSame(fitHistory([], 100), []);
});

t.test('whatever was said, the history stays in its budget and ends with the last message', async () => {
  const message = fc.record({
    role: fc.constantFrom('user', 'assistant'),
    content: fc.string({ unit: 'grapheme', maxLength: 200 }),
  });
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 30 }),
      fc.integer({ min: 20, max: 500 }),
      (messages, budget) => {
        const kept = fitHistory(messages, budget);
        const tokens = kept.reduce((sum, { content }) => sum + estimateTokens(content), 0);
        const last = messages.findLast(({ content }) => content.trim() !== '');
        return (
          tokens <= budget &&
          (last === undefined ? kept.length === 0 : last.content.trim().endsWith(kept.at(-1)!.content)) &&
          (kept.length < 2 || kept[0]!.role === 'user')
        );
      },
    ),
  );
});
