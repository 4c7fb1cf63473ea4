import t from 'tap';
import { createRenderer, findTemplateProblem, renderText } from '../../src/execution/render-text.ts';

const scope = { contact: { name: 'Ada', tags: ['x'] }, variables: { order: '#1' }, event: { text: 'hi' } };

t.test('templates see contact, variables and event, and nothing else', async (t) => {
  t.equal(renderText('{{ contact.name }} {{ variables.order }} {{ event.text }}', scope), 'Ada #1 hi');
  for (const template of [
    '{{ contact.constructor }}',
    '{{ contact.__proto__ }}',
    '{{ process }}{{ globalThis }}{{ require }}',
    '{{ contact.name.constructor.constructor }}',
  ])
    t.equal(renderText(template, scope), '', template);
});

t.test('hostile templates end in bounded time with an error', async (t) => {
  const hostile = [
    '{% for i in (1..100000000) %}x{% endfor %}',
    '{% for i in (1..9999) %}{% for j in (1..9999) %}{% assign x = i | times: j %}{% endfor %}{% endfor %}',
    `{% assign a = "${'x'.repeat(100)}" %}${'{% assign a = a | append: a %}'.repeat(40)}{{ a }}`,
    `{{ "a" ${'| append: "b" '.repeat(5000)} }}`,
    '{% include "/etc/passwd" %}',
    '{% render "../../package.json" %}',
    '{% layout "x" %}',
  ];
  for (const template of hostile) {
    const startedAt = performance.now();
    t.throws(() => renderText(template, scope), template.slice(0, 60));
    t.ok(performance.now() - startedAt < 10_000, `${Math.round(performance.now() - startedAt)} ms`);
  }
});

t.test('tags are stripped in one pass, even from a text that is made to take long', async (t) => {
  const strip = (text: string) => renderText('{{ event.text | strip_html }}', { ...scope, event: { text } });
  t.equal(strip('<b>1 < 2</b> and <i'), '1  and <i');
  t.equal(strip('<script'.repeat(14_000)).length, 4096);
});

t.test('all templates of one input share what they may render', async (t) => {
  const renderer = createRenderer();
  const loop = '{% for i in (1..9000) %}{{ i }}{% endfor %}';
  t.ok(renderer.text(loop, scope));
  t.throws(() => {
    for (let round = 0; round < 20; round += 1) renderer.text(loop, scope);
  }, /render too much/);
});

t.test('a template that would read otherwise tomorrow, or by chance, is refused', async (t) => {
  t.match(findTemplateProblem('{{ "now" | date: "%s" }}'), /clock/);
  t.match(findTemplateProblem('{{ contact.tags | sample }}'), /undefined filter/);
  t.throws(() => renderText('{% assign w = "n" | append: "ow" %}{{ w | date: "%s" }}', scope), /clock/);
  t.throws(() => renderText('{% assign w = "to" | append: "day" %}{{ w | date_to_string }}', scope), /clock/);
  t.equal(renderText('{{ "2026-11-20T23:30:00Z" | date: "%Y-%m-%d %H:%M" }}', scope), '2026-11-20 23:30');
  t.match(findTemplateProblem('{{ x | nonsense }}'), /not a valid template/);
  t.match(findTemplateProblem('{% if x %}'), /not a valid template/);
});

t.test('a text is cut where the provider would refuse it, between characters', async (t) => {
  const text = renderText('{{ event.text }}', { ...scope, event: { text: '😀'.repeat(3000) } });
  t.ok(text.length <= 4096);
  t.ok(text.isWellFormed());
});
