import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodesByKind } from '@switchyard/flows';
import { createSqliteDatabase } from '@switchyard/test-kit';
import t from 'tap';
import { runCli } from '../src/index.ts';

t.test('every example of the guide passes as it stands, and there is one of every node', async (t) => {
  const guide = await readFile(new URL('../../../docs/flow-examples.md', import.meta.url), 'utf8');
  const { dataDir } = await createSqliteDatabase(t);
  const blocks = guide.split(/^## /m).flatMap((section) => {
    const heading = section.slice(0, section.indexOf('\n'));
    return [...section.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => ({ heading, yaml }));
  });
  t.ok(blocks.length >= 6);
  for (const [index, { heading, yaml }] of blocks.entries()) {
    const path = join(dataDir, `example-${index}.test.yaml`);
    await writeFile(path, yaml);
    const lines: string[] = [];
    const print = (line: string) => void lines.push(line);
    const code = await runCli(['flow', 'test', path], {}, { print, complain: print });
    t.equal(code, 0, heading, { lines });
    for (const [, kind = ''] of heading.matchAll(/`([a-z-]+)`/g))
      t.match(yaml, new RegExp(`kind: ${kind}\\b`), kind);
  }
  for (const kind of Object.keys(nodesByKind))
    t.ok(
      blocks.some(({ heading }) => heading.includes(`\`${kind}\``)),
      `an example of ${kind}`,
    );
});
