import type { FlowDefinition } from '../definitions/definition.ts';
import { drawGraph, type GraphNode } from './draw-graph.ts';

/** Brackets by group: Mermaid's shapes. */
const shapes: Record<GraphNode['group'], readonly [open: string, close: string]> = {
  trigger: ['([', '])'],
  message: ['[', ']'],
  wait: ['[/', '/]'],
  decision: ['{', '}'],
  call: ['[[', ']]'],
  contact: ['[', ']'],
  end: ['((', '))'],
};

const LINE_MOST = 60;

/**
 * A flow as the source of a Mermaid flowchart, for Markdown files and wikis. Whatever a flow's author has written is text in it, never
 * Mermaid's syntax or HTML.
 */
export function toMermaid(definition: FlowDefinition): string {
  const { title, nodes, edges } = drawGraph(definition);
  const lines = ['---', `title: ${JSON.stringify(cut(title, 128))}`, '---', 'flowchart TD'];
  for (const { id, group, title: name, lines: about } of nodes) {
    const [open, close] = shapes[group];
    const label = [name, ...about]
      .map((line) => escapeLabel(cut(line, LINE_MOST)))
      .filter((line) => line !== '')
      .join('<br/>');
    lines.push(`  ${id}${open}"${label}"${close}:::${group}`);
  }
  for (const { from, to, label, isExceptional } of edges) {
    const arrow = isExceptional ? '-.->' : '-->';
    lines.push(`  ${from} ${arrow}${label === '' ? '' : `|"${escapeLabel(cut(label, LINE_MOST))}"|`} ${to}`);
  }
  lines.push(
    '  classDef trigger fill:#e7f0fd,stroke:#3b6fb6',
    '  classDef message fill:#e9f7ec,stroke:#3c8d53',
    '  classDef wait fill:#fdf4e3,stroke:#b58119',
    '  classDef decision fill:#f3ecfb,stroke:#7c4fb0',
    '  classDef call fill:#fdebe8,stroke:#b5523f',
    '  classDef contact fill:#f2f2f2,stroke:#777777',
    '  classDef end fill:#dddddd,stroke:#555555',
  );
  // `end` is a word of Mermaid's own.
  return `${lines.join('\n').replaceAll(':::end', ':::finish').replace('classDef end ', 'classDef finish ')}\n`;
}

/** Everything but letters, digits and a few harmless marks becomes an entity: Mermaid has no other way to quote. */
function escapeLabel(text: string): string {
  return [...text.replaceAll(/\s+/g, ' ').trim()]
    .map((character) =>
      /[\p{L}\p{N}\p{M} .,:+\-_/→−·]/u.test(character) ? character : `#${character.codePointAt(0)};`,
    )
    .join('');
}

/** Shortens a line, never through the middle of a character. */
export function cut(text: string, most: number): string {
  const characters = [...text.replaceAll(/\s+/g, ' ').trim()];
  return characters.length <= most ? characters.join('') : `${characters.slice(0, most - 1).join('')}…`;
}
