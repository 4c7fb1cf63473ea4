import t from 'tap';
import { Compile } from 'typebox/compile';
import {
  buildReadyMade,
  checkDefinition,
  FlowTestFile,
  flowLibrary,
  runFlowTest,
  toMermaid,
  toSvg,
} from '../../src/index.ts';

const schema = Compile(FlowTestFile);

for (const flow of flowLibrary)
  t.test(`${flow.name} passes its flow tests as it is installed`, async (t) => {
    const built = buildReadyMade(flow);
    if ('problems' in built) throw new Error(JSON.stringify(built.problems));
    const { definition } = built;
    t.same(checkDefinition(definition), []);
    t.ok(
      schema.Check({ flow: definition, tests: flow.tests }),
      'its tests are flow tests as anybody writes them',
    );
    for (const test of flow.tests) {
      const { ok, lines } = runFlowTest(definition, test);
      t.ok(ok, test.name, { lines: lines.map(({ mark, text }) => `${mark} ${text}`) });
    }
    t.match(toSvg(definition), /^<svg /);
    t.match(toMermaid(definition), /flowchart TD/);
  });

t.test('settings are taken, and wrong ones are named', async (t) => {
  const [, checkout] = flowLibrary as [never, (typeof flowLibrary)[number]];
  const built = buildReadyMade(checkout, {
    waitMinutes: 5,
    secondAfterHours: 0,
    template: { name: 'cart_reminder', language: 'en_US', parameters: ['{{ variables.item }}'] },
  });
  if ('problems' in built) throw new Error(JSON.stringify(built.problems));
  t.same(checkDefinition(built.definition), []);
  t.match(built.definition.nodes, {
    wait: { timeoutSeconds: 300 },
    remind: {
      next: 'done',
      templateFallback: {
        name: 'cart_reminder',
        components: [{ type: 'body', parameters: [{ text: '{{ variables.item }}' }] }],
      },
    },
  });
  t.notOk('wait-again' in built.definition.nodes);
  const problemsOf = (settings: Record<string, unknown>) => {
    const wrong = buildReadyMade(checkout, settings);
    return 'problems' in wrong ? wrong.problems.map(({ path }) => path) : [];
  };
  t.same(problemsOf({ waitMinutes: 0 }), ['/waitMinutes']);
  t.same(problemsOf({ waitMinuts: 5 }), ['/waitMinuts']);
  t.ok(problemsOf({ template: { name: 'Bad Name', language: 'en' } }).includes('/template/name'));
});
