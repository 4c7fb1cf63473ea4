import t from 'tap';
import type { FlowDefinition } from '../src/definitions/definition.ts';
import { checkAnswer } from '../src/execution/check-answer.ts';
import { matchTrigger } from '../src/triggers/match-trigger.ts';

const flow = (flowId: string, triggers: FlowDefinition['triggers'], priority?: number) => ({
  flowId,
  version: 1,
  definition: {
    name: flowId,
    triggers,
    start: 'a',
    nodes: { a: { kind: 'end' as const } },
    ...(priority === undefined ? {} : { priority }),
  },
});
const text = (said: string) => ({ type: 'text', text: said });

t.test('a keyword goes before any message, then the higher priority, then the older flow', async (t) => {
  const any = flow('any', [{ kind: 'any-message' }], 900);
  const old = flow('old', [{ kind: 'keyword', words: ['Order'], match: 'contains' }]);
  const young = flow('young', [{ kind: 'keyword', words: ['order'], match: 'starts-with' }]);
  const urgent = flow('urgent', [{ kind: 'keyword', words: ['order 1'] }], 5);
  const flows = [any, old, young, urgent];
  t.equal(matchTrigger(flows, text('hello'))?.flowId, 'any');
  t.equal(matchTrigger(flows, { type: 'image' })?.flowId, 'any');
  t.equal(matchTrigger(flows, text('my order'))?.flowId, 'old');
  t.equal(matchTrigger(flows, text('ORDER 2'))?.flowId, 'old');
  t.equal(matchTrigger([any, young], text('ORDER 2'))?.flowId, 'young');
  t.equal(matchTrigger(flows, text(' Order 1 '))?.flowId, 'urgent');
  t.equal(matchTrigger([old], text('hello')), undefined);
  t.equal(matchTrigger([], text('hello')), undefined);
});

t.test('answers are read as the question expects them', async (t) => {
  const ask = { kind: 'ask' as const, text: '?', saveAs: 'x', next: 'a' };
  const buttons = [{ id: 'yes', title: 'Yes, please' }];
  t.equal(checkAnswer(ask, text(' blue ')), 'blue');
  t.equal(checkAnswer(ask, { type: 'image' }), undefined);
  t.equal(checkAnswer({ ...ask, expect: 'number' }, text('1,5')), 1.5);
  t.equal(checkAnswer({ ...ask, expect: 'number' }, text('')), undefined);
  t.equal(checkAnswer({ ...ask, expect: 'number' }, text('Infinity')), undefined);
  t.equal(checkAnswer({ ...ask, expect: 'email' }, text('a@b.co')), 'a@b.co');
  t.equal(checkAnswer({ ...ask, expect: 'email' }, text('a@b')), undefined);
  t.equal(checkAnswer({ ...ask, expect: 'button', buttons }, text('yes, PLEASE')), 'yes');
  t.equal(checkAnswer({ ...ask, expect: 'button', buttons }, { type: 'interactive', replyId: 'yes' }), 'yes');
  t.equal(checkAnswer({ ...ask, expect: 'button', buttons }, text('maybe')), undefined);
});
