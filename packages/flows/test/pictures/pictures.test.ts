import fc from 'fast-check';
import t from 'tap';
import { type FlowDefinition, toMermaid, toSvg, welcomeFlow } from '../../src/index.ts';

t.test('a picture shows every node, trigger and way on', async (t) => {
  const mermaid = toMermaid(welcomeFlow);
  const svg = toSvg(welcomeFlow);
  for (const name of Object.keys(welcomeFlow.nodes)) {
    t.ok(mermaid.includes(`"${name}`), `${name} in Mermaid`);
    t.ok(svg.includes(`<title>${name}</title>`), `${name} in SVG`);
  }
  t.match(mermaid, /t0\(\["keyword<br\/>hello"\]\):::trigger/);
  t.match(mermaid, /t0 --> n0/);
  t.match(mermaid, /n0 -\.->\|"onTimeout"\| n\d/, 'a time-out is dashed');
  t.match(mermaid, /-->\|"case 1"\|/);
  t.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  t.equal(svg, toSvg(welcomeFlow), 'the same each time');
});

const nasty = fc.oneof(
  fc.constantFrom(
    '</text><script>alert(1)</script>',
    '"]; click n0 href "javascript:alert(1)"',
    '`\n%%{init: {}}%%\nend',
    '\u0000\u0008]]>',
    '&amp;"\'<>',
    '😀'.repeat(50),
    '\ud800',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
);

t.test('whatever the author of a flow writes is text in its pictures, never markup', async (t) => {
  let drawn = 0;
  fc.assert(
    fc.property(fc.record({ name: nasty, text: nasty, title: nasty, word: nasty }), (written) => {
      const definition: FlowDefinition = {
        name: written.name,
        triggers: [{ kind: 'keyword', words: [written.word] }],
        start: 'a',
        nodes: {
          a: {
            kind: 'ask',
            text: written.text,
            saveAs: 'x',
            buttons: [{ id: 'b', title: written.title, next: 'b' }],
            next: 'b',
          },
          b: { kind: 'end' },
        },
      };
      const svg = toSvg(definition);
      const tags = new Set([...svg.matchAll(/<\/?([a-zA-Z!?][\w-]*)/g)].map(([, tag]) => tag));
      for (const tag of tags)
        if (!['svg', 'title', 'defs', 'marker', 'path', 'rect', 'text', 'g'].includes(tag!))
          throw new Error(`the tag ${tag} came from the flow`);
      if (/<script|javascript:|\son\w+=|&(?!(amp|lt|gt|quot|#39);)/.test(svg.replaceAll(/>[^<]*</g, '><')))
        throw new Error('markup came from the flow');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what XML forbids is what is looked for.
      if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(svg)) throw new Error('not XML');
      const [, , , head, ...lines] = toMermaid(definition).split('\n');
      if (head !== 'flowchart TD') throw new Error('the title broke the front matter');
      for (const line of lines)
        if (
          !/^( {2}(n|t)\d[([{/]+"[^"]*"[)\]}/]+:::\w+| {2}[nt]\d (-->|-\.->)(\|"[^"]*"\|)? n\d| {2}classDef .*|)$/.test(
            line,
          )
        )
          throw new Error(`not a line of ours: ${line}`);
      drawn += 1;
    }),
    { numRuns: 300 },
  );
  t.equal(drawn, 300);
});

t.test('a large flow with circles is laid out within bounds', async (t) => {
  const count = 300;
  const nodes: FlowDefinition['nodes'] = { end: { kind: 'end' } };
  for (let index = 0; index < count; index += 1)
    nodes[`n${index}`] = {
      kind: 'ask',
      text: `Question ${index}`,
      saveAs: 'x',
      onInvalid: `n${Math.max(0, index - 7)}`,
      next: index + 1 < count ? `n${index + 1}` : 'end',
    };
  const svg = toSvg({ name: 'Large', triggers: [], start: 'n0', nodes });
  t.equal([...svg.matchAll(/<g><title>/g)].length, count + 1);
  t.notMatch(svg, /NaN|Infinity|undefined/);
});
