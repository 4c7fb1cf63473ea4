import { Graph as LayoutGraph, layout } from '@dagrejs/dagre';
import type { FlowDefinition } from '../definitions/definition.ts';
import { drawGraph, type GraphNode } from './draw-graph.ts';
import { cut } from './to-mermaid.ts';

const FONT = 13;
const LINE_HEIGHT = 18;
/** Of the font's size: enough for the widest usual letters of a sans-serif font. */
const CHARACTER_WIDTH = 7.2;
const PADDING = 12;
const LINE_MOST = 34;
const LINES_MOST = 6;
const MARGIN = 20;
const TITLE_HEIGHT = 34;

const colours: Record<GraphNode['group'], readonly [fill: string, stroke: string]> = {
  trigger: ['#e7f0fd', '#3b6fb6'],
  message: ['#e9f7ec', '#3c8d53'],
  wait: ['#fdf4e3', '#b58119'],
  decision: ['#f3ecfb', '#7c4fb0'],
  call: ['#fdebe8', '#b5523f'],
  contact: ['#f2f2f2', '#777777'],
  end: ['#dddddd', '#555555'],
};

interface Point {
  x: number;
  y: number;
}

/**
 * A flow as an SVG picture. No script, no style sheet and nothing from elsewhere is in it; whatever a flow's author has written is
 * escaped text.
 */
export function toSvg(definition: FlowDefinition): string {
  const { title, nodes, edges } = drawGraph(definition);
  const graph = new LayoutGraph({ multigraph: true });
  graph.setGraph({ rankdir: 'TB', nodesep: 36, ranksep: 54, edgesep: 16, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  const texts = new Map<string, string[]>();
  for (const { id, title: name, lines } of nodes) {
    const text = [name, ...lines]
      .map((line) => cut(line, LINE_MOST))
      .filter((line) => line !== '')
      .slice(0, LINES_MOST);
    texts.set(id, text);
    graph.setNode(id, {
      width: Math.max(60, ...text.map((line) => widthOf(line))) + 2 * PADDING,
      height: text.length * LINE_HEIGHT + PADDING,
    });
  }
  for (const [index, { from, to, label }] of edges.entries())
    graph.setEdge(
      from,
      to,
      {
        width: label === '' ? 0 : widthOf(cut(label, LINE_MOST)) + 8,
        height: label === '' ? 0 : LINE_HEIGHT,
        labelpos: 'c',
      },
      String(index),
    );
  layout(graph);

  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const full = {
    width: Math.ceil(Math.max(width, widthOf(title) + 2 * MARGIN)),
    height: Math.ceil(height) + TITLE_HEIGHT,
  };
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${full.width}" height="${full.height}" viewBox="0 0 ${full.width} ${full.height}" font-family="sans-serif" font-size="${FONT}">`,
    `<title>${escapeXml(title)}</title>`,
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L10 5L0 10z" fill="#555555"/></marker></defs>',
    `<rect width="${full.width}" height="${full.height}" fill="#ffffff"/>`,
    `<text x="${MARGIN}" y="26" font-size="16" font-weight="bold">${escapeXml(cut(title, 128))}</text>`,
    `<g transform="translate(0 ${TITLE_HEIGHT})">`,
  ];
  for (const [index, { from, to, label, isExceptional }] of edges.entries()) {
    const edge = graph.edge({ v: from, w: to, name: String(index) }) as { points: Point[] } & Point;
    const path = edge.points.map(({ x, y }, at) => `${at === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('');
    parts.push(
      `<path d="${path}" fill="none" stroke="#555555"${isExceptional ? ' stroke-dasharray="5 4"' : ''} marker-end="url(#tip)"/>`,
    );
    if (label === '') continue;
    const text = cut(label, LINE_MOST);
    const half = widthOf(text) / 2 + 2;
    parts.push(
      `<rect x="${round(edge.x - half)}" y="${round(edge.y - 9)}" width="${round(2 * half)}" height="${LINE_HEIGHT}" fill="#ffffff" fill-opacity="0.85"/>`,
      `<text x="${round(edge.x)}" y="${round(edge.y + 4)}" text-anchor="middle" font-size="12" fill="#444444">${escapeXml(text)}</text>`,
    );
  }
  for (const { id, group, title: name } of nodes) {
    const box = graph.node(id) as Point & { width: number; height: number };
    const [fill, stroke] = colours[group];
    const left = round(box.x - box.width / 2);
    const top = round(box.y - box.height / 2);
    const radius = group === 'trigger' || group === 'end' ? round(box.height / 2) : 6;
    parts.push(
      `<g><title>${escapeXml(name)}</title><rect x="${left}" y="${top}" width="${round(box.width)}" height="${round(box.height)}" rx="${radius}" fill="${fill}" stroke="${stroke}"/>`,
      ...texts
        .get(id)!
        .map(
          (line, at) =>
            `<text x="${round(box.x)}" y="${round(top + PADDING / 2 + LINE_HEIGHT * at + 13)}" text-anchor="middle"${at === 0 ? ' font-weight="bold"' : ''}>${escapeXml(line)}</text>`,
        ),
      '</g>',
    );
  }
  parts.push('</g>', '</svg>');
  return `${parts.join('\n')}\n`;
}

/** Wide characters (emoji, Chinese) take about twice as much. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += character.codePointAt(0)! > 0x2e7f ? 2 : 1;
  return width * CHARACTER_WIDTH;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Text of an SVG: without what XML forbids, and without what could end the text. */
function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
