import type { FlowNode } from '../definitions/definition.ts';
import type { MessageFacts, Variables } from './run-state.ts';

type AskNode = Extract<FlowNode, { kind: 'ask' }>;

/** Deliberately loose: who wants to be sure sends an email. */
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

const plain = (text: string) => text.trim().toLowerCase();

/**
 * Reads an answer as the question expects it.
 *
 * @returns the value to keep, or undefined when it does not count as an answer.
 */
export function checkAnswer(node: AskNode, event: MessageFacts): Variables[string] | undefined {
  const text = event.text?.trim();
  // Who types the title of a button has chosen it.
  const button = node.buttons?.find(
    (each) => each.id === event.replyId || (text !== undefined && plain(each.title) === plain(text)),
  );
  switch (node.expect ?? 'text') {
    case 'button':
      return button?.id;
    case 'number': {
      const number = text === undefined ? Number.NaN : Number(text.replace(',', '.'));
      return text && Number.isFinite(number) ? number : undefined;
    }
    case 'email':
      return text !== undefined && EMAIL.test(text) ? text : undefined;
    default:
      return button?.id ?? (text || undefined);
  }
}
