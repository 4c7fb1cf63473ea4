import { readFileSync } from 'node:fs';
import t from 'tap';
import { checkDefinition } from '../src/definitions/check-definition.ts';
import { nodesByKind, triggersByKind } from '../src/definitions/definition.ts';

const guide = readFileSync(new URL('../../../docs/flows.md', import.meta.url), 'utf8');

t.test('the guide describes every trigger and every node, and its example is a flow', async (t) => {
  for (const kind of [...Object.keys(triggersByKind), ...Object.keys(nodesByKind)])
    t.match(guide, new RegExp(`^\\|.*\`${kind}\`.*\\|`, 'm'), kind);
  const [, example = ''] = /```json\n([\s\S]*?)```/.exec(guide) ?? [];
  t.strictSame(checkDefinition(JSON.parse(example)), []);
});
