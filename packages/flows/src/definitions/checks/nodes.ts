import { choicesOf } from '../../execution/check-answer.ts';
import { isTimeZone, minutesOf } from '../../execution/local-time.ts';
import { findPatternProblem } from '../../execution/match-pattern.ts';
import type { DefinitionProblem } from '../check-definition.ts';
import type { FlowDefinition, FlowNode, NodeOf } from '../definition.ts';

/** The field, below the node, and what is wrong with it. */
type Problem = [field: string, message: string];

const LIST_ROWS_MOST = 10;
const SCHEMA_CHARACTERS_MOST = 8192;

/** What each node needs beyond its schema. */
export function findNodeProblems(definition: FlowDefinition): DefinitionProblem[] {
  const zone: DefinitionProblem[] =
    definition.timeZone !== undefined && !isTimeZone(definition.timeZone)
      ? [{ path: '/timeZone', message: `is no time zone: "${definition.timeZone}"` }]
      : [];
  return [
    ...zone,
    ...Object.entries(definition.nodes).flatMap(([name, node]) =>
      problemsOf(node).map(([field, message]) => ({
        node: name,
        path: field === '' ? `/nodes/${name}` : `/nodes/${name}/${field}`,
        message,
      })),
    ),
  ];
}

function problemsOf(node: FlowNode): Problem[] {
  switch (node.kind) {
    case 'send':
      return messageProblems(node);
    case 'ask':
      return [...messageProblems(node), ...askProblems(node)];
    case 'wait-until':
      return waitUntilProblems(node);
    case 'business-hours':
      return hoursProblems(node);
    case 'loop':
      return (node.over === undefined) === (node.times === undefined)
        ? [['times', 'either "over" or "times" says how often']]
        : [];
    case 'http-request':
      return httpProblems(node);
    case 'ai-reply':
      return node.fallbackText === undefined && node.onError === undefined
        ? [['onError', 'must say what happens when the model fails: "fallbackText" or "onError"']]
        : [];
    case 'ai-classify':
      return new Set(node.labels.map(({ label }) => label)).size === node.labels.length
        ? []
        : [['labels', 'must be labels that differ']];
    case 'ai-extract':
      return JSON.stringify(node.schema).length > SCHEMA_CHARACTERS_MOST
        ? [['schema', `must not be longer than ${SCHEMA_CHARACTERS_MOST} characters`]]
        : [];
    case 'send-email':
      return node.text === undefined && node.html === undefined
        ? [['text', 'an email needs "text" or "html"']]
        : [];
    case 'hand-over':
      return node.onTimeout !== undefined && (node.timeoutSeconds === undefined || node.next === undefined)
        ? [['onTimeout', 'needs "timeoutSeconds" and "next"']]
        : [];
    default:
      return [];
  }
}

function messageProblems(node: NodeOf<'send'> | NodeOf<'ask'>): Problem[] {
  const problems: Problem[] = [];
  const { text, message, buttons, list } = node;
  if (text === undefined && message === undefined)
    problems.push(['text', 'there must be a "text" or a "message" to send']);
  if (message !== undefined && (buttons ?? list) !== undefined)
    problems.push(['message', 'can\'t have "buttons" or a "list" beside it']);
  if (message !== undefined && text !== undefined && !['image', 'video', 'document'].includes(message.type))
    problems.push(['text', `a message of type "${message.type}" has no caption`]);
  if (buttons !== undefined && list !== undefined)
    problems.push(['list', 'can\'t be there beside "buttons"']);
  if ((node.header ?? node.footer) !== undefined && buttons === undefined && list === undefined)
    problems.push(['header', 'header and footer need "buttons" or a "list"']);
  const choices = choicesOf(node);
  if (list !== undefined && choices.length > LIST_ROWS_MOST)
    problems.push(['list', `must not have more than ${LIST_ROWS_MOST} rows`]);
  if (new Set(choices.map(({ id }) => id)).size !== choices.length)
    problems.push([list === undefined ? 'buttons' : 'list', 'must have ids that differ']);
  if (node.kind === 'send' && choices.some(({ next }) => next !== undefined))
    problems.push([
      list === undefined ? 'buttons' : 'list',
      'lead nowhere in a node that waits for no answer',
    ]);
  if (
    list !== undefined &&
    list.sections.length > 1 &&
    list.sections.some(({ title }) => title === undefined)
  )
    problems.push(['list', 'several sections need titles']);
  return problems;
}

function askProblems(node: NodeOf<'ask'>): Problem[] {
  const problems: Problem[] = [];
  if (node.expect === 'button' && choicesOf(node).length === 0)
    problems.push(['expect', 'needs buttons to choose from, or a list']);
  if ((node.expect === 'pattern') !== (node.pattern !== undefined))
    problems.push(['pattern', 'goes with "expect": "pattern"']);
  const pattern = node.pattern === undefined ? undefined : findPatternProblem(node.pattern);
  if (pattern !== undefined) problems.push(['pattern', pattern]);
  if (node.expect !== 'number' && (node.minimum ?? node.maximum) !== undefined)
    problems.push(['minimum', 'goes with "expect": "number"']);
  if (node.minimum !== undefined && node.maximum !== undefined && node.minimum > node.maximum)
    problems.push(['maximum', 'must not be less than the minimum']);
  if (node.timeoutSeconds !== undefined && node.onTimeout === undefined)
    problems.push(['onTimeout', 'must say where a time-out leads']);
  if (node.onTimeout !== undefined && node.timeoutSeconds === undefined)
    problems.push(['timeoutSeconds', 'must say when onTimeout applies']);
  return problems;
}

function waitUntilProblems(node: NodeOf<'wait-until'>): Problem[] {
  const problems: Problem[] = [];
  if ((node.at === undefined) === (node.time === undefined))
    problems.push(['time', 'either "at" or "time" says when']);
  if (node.weekdays !== undefined && node.time === undefined) problems.push(['weekdays', 'go with a "time"']);
  if (node.timeZone !== undefined && !isTimeZone(node.timeZone))
    problems.push(['timeZone', `is no time zone: "${node.timeZone}"`]);
  return problems;
}

function hoursProblems({ hours, timeZone }: NodeOf<'business-hours'>): Problem[] {
  const problems: Problem[] = [];
  if (timeZone !== undefined && !isTimeZone(timeZone))
    problems.push(['timeZone', `is no time zone: "${timeZone}"`]);
  if (Object.values(hours).every((each) => each === undefined))
    problems.push(['hours', 'must have a day that is open']);
  for (const [weekday, spans] of Object.entries(hours))
    for (const { from, to } of spans ?? [])
      if (minutesOf(from) >= minutesOf(to))
        problems.push([`hours/${weekday}`, `must end after it begins: ${from} to ${to}`]);
  return problems;
}

function httpProblems(node: NodeOf<'http-request'>): Problem[] {
  const problems: Problem[] = [];
  if (node.body !== undefined && node.json !== undefined)
    problems.push(['json', 'can\'t be there beside "body"']);
  if ((node.method ?? 'GET') === 'GET' && (node.body !== undefined || node.json !== undefined))
    problems.push(['method', 'GET has no body']);
  if (!node.url.includes('{')) {
    const url = URL.parse(node.url.trim());
    if (!url || !['http:', 'https:'].includes(url.protocol))
      problems.push(['url', 'must be an http or https address']);
  }
  return problems;
}
