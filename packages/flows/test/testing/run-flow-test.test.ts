import t from 'tap';
import { type FlowTest, runFlowTest, welcomeFlow } from '../../src/index.ts';

const greeting = 'Hello Ada! 👋 What can we help you with?';
const good: FlowTest = {
  name: 'asks and answers',
  contact: { name: 'Ada' },
  conversation: [
    { say: 'hello' },
    { expect: { text: greeting, buttons: ['My order', 'Products', 'Talk to a person'] } },
    { tap: 'order' },
    { expect: { contains: 'order number' } },
  ],
  status: 'finished',
  variables: { need: 'order' },
};
const marked = ({ lines }: ReturnType<typeof runFlowTest>) =>
  lines.filter(({ mark }) => mark !== ' ').map(({ mark, text }) => `${mark} ${text}`);

t.test('a test passes when the flow says what is expected, all of it and in order', async (t) => {
  const result = runFlowTest(welcomeFlow, good);
  t.ok(result.ok);
  t.same(marked(result), []);
  t.equal(result.lines.length, 4);
});

t.test(
  'a test fails for a message that is missing, another, too much or late, and shows which',
  async (t) => {
    const [hello, asked, tap, answered] = good.conversation as [never, never, never, never];
    const cases: [FlowTest['conversation'], string[]][] = [
      [
        [hello, { expect: 'Hi' }, tap, answered],
        ['- flow: Hi', `+ flow: ${greeting} [My order] [Products] [Talk to a person]`],
      ],
      [[hello, asked, { expect: 'More' }, tap, answered], ['- flow: More']],
      [[hello, tap, answered], [`+ flow: ${greeting} [My order] [Products] [Talk to a person]`]],
      [
        [hello, asked, answered, tap],
        [
          '- flow: (a text with) order number',
          '+ flow: Please send us your order number, and we will look it up.',
        ],
      ],
      [
        [hello, { expect: { buttons: ['Yes'] } }, tap, answered],
        ['- flow: (any text) [Yes]', `+ flow: ${greeting} [My order] [Products] [Talk to a person]`],
      ],
    ];
    for (const [conversation, expected] of cases) {
      const result = runFlowTest(welcomeFlow, { ...good, conversation });
      t.notOk(result.ok);
      t.same(marked(result), expected);
    }
  },
);

t.test('a test fails for another end, value or effect', async (t) => {
  const result = runFlowTest(welcomeFlow, {
    ...good,
    status: 'waiting',
    variables: { need: 'products', other: 1 },
    effects: [{ kind: 'tag', add: ['vip'] }],
  });
  t.same(marked(result), [
    '- status: "waiting"',
    '+ status: "finished"',
    '- variable need: "products"',
    '+ variable need: "order"',
    '- variable other: 1',
    '+ variable other: null',
    '- effect {"kind":"tag","add":["vip"]}',
  ]);
  t.notOk(runFlowTest(welcomeFlow, { ...good, at: 'yesterday' }).ok, 'a date that is none');
});
