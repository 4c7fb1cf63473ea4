import type { NodeOf } from '../../definitions/definition.ts';
import { type Behaviours, NodeError, type Outcome, type StepContext } from '../behaviour.ts';
import { checkAnswer, chosenOf } from '../check-answer.ts';
import { mergeMessages } from '../merge-messages.ts';
import { shorten } from '../render-text.ts';
import type { EffectBody, MessageFacts, Value } from '../run-state.ts';

type Content = Pick<
  NodeOf<'send'>,
  'text' | 'header' | 'footer' | 'buttons' | 'list' | 'message' | 'templateFallback'
>;

/** The Cloud API takes less text beside buttons and lists than without. */
const MAX_TEXT_WITH_BUTTONS = 1024;
const MAX_TEXT_WITH_LIST = 4096;
const MAX_TITLE = 60;
/** Of an answer that is said in many pieces. */
const GATHERED_MOST = 20;

/** Nodes that say something. */
export const messageNodes: Behaviours<'send' | 'ask'> = {
  send: {
    execute(node, step) {
      step.emit(renderMessage(node, step));
      return { to: node.next };
    },
  },
  ask: {
    execute(node, step) {
      step.emit(renderMessage(node, step));
      return waitForAnswer(node, step);
    },
    wake(node, step, wake, wait) {
      if (wake.kind === 'time') {
        if (wait.kind === 'gather') return takeAnswer(node, step, mergeMessages(step.gathered));
        if (node.onTimeout === undefined) return undefined;
        step.invalidAnswers = 0;
        return { to: node.onTimeout };
      }
      if (wake.kind !== 'message') return undefined;
      const isChoice = chosenOf(node, wake.event) !== undefined;
      if (node.gatherSeconds === undefined || (isChoice && step.gathered.length === 0))
        return takeAnswer(node, step, wake.event);
      step.gathered = [...step.gathered, wake.event].slice(-GATHERED_MOST);
      return { wait: { kind: 'gather', untilMs: step.atMs + node.gatherSeconds * 1000 } };
    },
  },
};

function takeAnswer(node: NodeOf<'ask'>, step: StepContext, event: MessageFacts): Outcome {
  step.gathered = [];
  const answer = checkAnswer(node, event);
  if (answer !== undefined) {
    step.setVariable(node.saveAs, answer);
    step.invalidAnswers = 0;
    return { to: chosenOf(node, event)?.next ?? node.next };
  }
  if (step.invalidAnswers < (node.retries ?? 0)) {
    step.invalidAnswers += 1;
    step.again('the answer did not count');
    step.emit(renderMessage(node.retryText === undefined ? node : retryOf(node, node.retryText), step));
    return waitForAnswer(node, step);
  }
  step.invalidAnswers = 0;
  return { to: node.onInvalid ?? node.next };
}

/** What is said again keeps the choices. */
function retryOf({ buttons, list, templateFallback }: NodeOf<'ask'>, text: string): Content {
  return {
    text,
    ...(buttons === undefined ? {} : { buttons }),
    ...(list === undefined ? {} : { list }),
    ...(templateFallback === undefined ? {} : { templateFallback }),
  };
}

function waitForAnswer(node: NodeOf<'ask'>, step: StepContext): Outcome {
  const until = node.timeoutSeconds === undefined ? {} : { untilMs: step.atMs + node.timeoutSeconds * 1000 };
  return { wait: { kind: 'answer', ...until } };
}

/** A node's message as the Cloud API wants it. @throws NodeError, Error */
function renderMessage(node: Content, step: StepContext): EffectBody {
  const fallback =
    node.templateFallback === undefined
      ? {}
      : { templateFallback: step.renderJson(node.templateFallback) as Record<string, unknown> };
  if (node.message !== undefined) {
    const content = step.renderJson(node.message.content) as Record<string, unknown>;
    const text = node.text === undefined ? undefined : step.render(node.text);
    const captioned =
      text !== undefined && ['image', 'video', 'document'].includes(node.message.type)
        ? { ...content, caption: shorten(text, MAX_TEXT_WITH_BUTTONS) }
        : content;
    const { type } = node.message;
    return { kind: 'send', type, content: captioned, text: text ?? describe(type, content), ...fallback };
  }
  return renderTextMessage(node, step, fallback);
}

function renderTextMessage(node: Content, step: StepContext, fallback: object): EffectBody {
  const { buttons, list } = node;
  const lengthMost = buttons ? MAX_TEXT_WITH_BUTTONS : MAX_TEXT_WITH_LIST;
  const text = step.render(node.text ?? '', lengthMost);
  if (text.trim() === '') throw new NodeError('TEXT_EMPTY', 'the text to send is empty');
  if (!buttons && !list) return { kind: 'send', type: 'text', content: { body: text }, text, ...fallback };
  const action = buttons
    ? {
        buttons: buttons.map(({ id, title }) => ({
          type: 'reply',
          reply: { id, title: step.render(title, 20) },
        })),
      }
    : list && {
        button: list.button,
        sections: list.sections.map(({ title, rows }) => ({
          ...(title === undefined ? {} : { title }),
          rows: rows.map((row) => ({
            id: row.id,
            title: step.render(row.title, 24),
            ...(row.description === undefined ? {} : { description: step.render(row.description, 72) }),
          })),
        })),
      };
  const content = {
    type: buttons ? 'button' : 'list',
    ...(node.header === undefined
      ? {}
      : { header: { type: 'text', text: step.render(node.header, MAX_TITLE) } }),
    body: { text },
    ...(node.footer === undefined ? {} : { footer: { text: step.render(node.footer, MAX_TITLE) } }),
    action,
  };
  return { kind: 'send', type: 'interactive', content, text, ...fallback };
}

/** A message in words, for the session's history. */
function describe(type: string, content: Record<string, unknown>): string {
  const { body, caption, name } = content as { body?: { text?: Value }; caption?: Value; name?: Value };
  for (const candidate of [caption, body?.text])
    if (typeof candidate === 'string' && candidate !== '') return candidate;
  return typeof name === 'string' ? `[${type} ${name}]` : `[${type}]`;
}
