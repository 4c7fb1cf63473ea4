import t from 'tap';
import { checkTemplate } from '../../src/templates/check-template.ts';
import { decideOnTemplate } from '../../src/templates/decide-on-template.ts';
import { judgeTemplate } from '../../src/templates/judge-template.ts';
import type { DefinedComponent, TemplateFacts } from '../../src/templates/template-facts.ts';

const facts = (components: DefinedComponent[], more: Partial<TemplateFacts> = {}): TemplateFacts => ({
  id: 'tpl_1',
  name: 'a',
  language: 'en_US',
  status: 'APPROVED',
  category: 'UTILITY',
  isNamed: false,
  components,
  ...more,
});
const fill = (...components: object[]) => ({ name: 'a', language: { code: 'en_US' }, components });
const texts = (...values: string[]) => values.map((text) => ({ type: 'text', text }));
const field = (template: TemplateFacts, content: Record<string, unknown>) =>
  checkTemplate(template, content)?.field;

t.test('positional parameters must be as many as the text has places', async (t) => {
  const template = facts([{ type: 'BODY', text: 'Hi {{1}}, order {{2}} is on its way, {{1}}.' }]);
  t.equal(field(template, fill({ type: 'body', parameters: texts('Ana', '17') })), undefined);
  t.equal(field(template, fill({ type: 'body', parameters: texts('Ana') })), 'components.0.parameters');
  t.equal(field(template, fill()), 'components');
  t.equal(field(template, { name: 'a', language: { code: 'en_US' } }), 'components');
  t.equal(
    field(
      template,
      fill({ type: 'body', parameters: texts('Ana', '17') }, { type: 'header', parameters: texts('x') }),
    ),
    'components.1.parameters',
    'the template has no header',
  );
});

t.test('named parameters must be the names of the text, each once', async (t) => {
  const template = facts([{ type: 'BODY', text: '{{first_name}}: {{discount}}' }], { isNamed: true });
  const named = (...names: string[]) => ({
    type: 'body',
    parameters: names.map((parameter_name) => ({ type: 'text', text: 'x', parameter_name })),
  });
  t.equal(field(template, fill(named('discount', 'first_name'))), undefined);
  t.equal(field(template, fill(named('first_name', 'price'))), 'components.0.parameters.1.parameter_name');
  t.equal(field(template, fill(named('discount', 'discount'))), 'components.0.parameters.1.parameter_name');
});

t.test('a header of a file needs a file of that kind', async (t) => {
  const template = facts([
    { type: 'HEADER', format: 'IMAGE' },
    { type: 'BODY', text: 'Look.' },
  ]);
  const header = (type: string) => fill({ type: 'header', parameters: [{ type, [type]: { id: '1' } }] });
  t.equal(field(template, header('image')), undefined);
  t.equal(field(template, header('video')), 'components.0.parameters.0.type');
  t.equal(field(template, fill()), 'components');
});

t.test('buttons need what their kind needs', async (t) => {
  const template = facts([
    { type: 'BODY', text: 'Track.' },
    {
      type: 'BUTTONS',
      buttons: [
        { type: 'URL', url: 'https://example.com/{{1}}' },
        { type: 'QUICK_REPLY' },
        { type: 'COPY_CODE' },
      ],
    },
  ]);
  const url = { type: 'button', sub_type: 'url', index: '0', parameters: texts('17') };
  const code = {
    type: 'button',
    sub_type: 'copy_code',
    index: 2,
    parameters: [{ type: 'coupon_code', coupon_code: 'X' }],
  };
  t.equal(field(template, fill(url, code)), undefined);
  t.equal(
    field(
      template,
      fill(url, code, {
        type: 'button',
        sub_type: 'quick_reply',
        index: '1',
        parameters: [{ type: 'payload', payload: 'X' }],
      }),
    ),
    undefined,
  );
  t.equal(field(template, fill(url)), 'components', 'a code is missing');
  t.equal(field(template, fill(code)), 'components', 'the rest of the address is missing');
  t.equal(field(template, fill(url, { ...code, index: 3 })), 'components.1.index');
  t.equal(field(template, fill({ ...url, sub_type: 'quick_reply' }, code)), 'components.0.sub_type');
});

t.test('cards are checked one by one', async (t) => {
  const card = {
    components: [
      { type: 'HEADER', format: 'IMAGE' },
      { type: 'BODY', text: '{{1}}' },
    ],
  };
  const template = facts([
    { type: 'BODY', text: 'See' },
    { type: 'CAROUSEL', cards: [card, card] },
  ]);
  const filled = (index: number, text = 'x') => ({
    card_index: index,
    components: [
      { type: 'header', parameters: [{ type: 'image', image: { id: '1' } }] },
      { type: 'body', parameters: texts(text) },
    ],
  });
  const carousel = (...cards: object[]) => fill({ type: 'carousel', cards });
  t.equal(field(template, carousel(filled(0), filled(1))), undefined);
  t.equal(field(template, carousel(filled(0))), 'components.0.cards');
  t.equal(
    field(template, carousel(filled(0), { card_index: 1, components: [] })),
    'components.0.cards.1.components',
  );
});

t.test('a template that is not known counts as unknown only where the list was read', async (t) => {
  const ask = { isListed: true, toPhone: true };
  t.match(judgeTemplate(undefined, fill(), ask), { code: 'TEMPLATE_UNKNOWN' });
  t.equal(judgeTemplate(undefined, fill(), { ...ask, isListed: false }), undefined);
  t.match(judgeTemplate(facts([], { status: 'REJECTED' }), fill(), ask), { code: 'TEMPLATE_NOT_SENDABLE' });
  t.equal(judgeTemplate(facts([], { status: 'PAUSED' }), fill(), ask), undefined, 'its messages wait');
  t.match(judgeTemplate(facts([], { category: 'AUTHENTICATION' }), fill(), { ...ask, toPhone: false }), {
    code: 'PHONE_REQUIRED',
  });
});

t.test('just before the call a template holds, fails or skips its message', async (t) => {
  const person = { addressKind: 'phone', contactPhone: null, marketingOptedOut: false };
  t.match(decideOnTemplate(person, undefined), { kind: 'go' });
  t.match(decideOnTemplate(person, facts([], { status: 'PAUSED' })), { kind: 'hold' });
  t.match(decideOnTemplate(person, facts([], { status: 'FLAGGED' })), { kind: 'go' });
  t.match(decideOnTemplate(person, facts([], { status: 'DISABLED' })), { state: 'failed', code: '132016' });
  const marketing = facts([], { category: 'MARKETING' });
  t.match(decideOnTemplate({ ...person, marketingOptedOut: true }, marketing), {
    state: 'skipped',
    code: 'MARKETING_OPTED_OUT',
  });
  const code = facts([], { category: 'AUTHENTICATION' });
  const byUserId = { ...person, addressKind: 'user_id' };
  t.match(decideOnTemplate(byUserId, code), { state: 'failed', code: '131062' });
  t.match(decideOnTemplate({ ...byUserId, contactPhone: '+4915112345678' }, code), { kind: 'go' });
});
