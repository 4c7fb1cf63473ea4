import type { NodeOf } from '../definitions/definition.ts';
import { matchesPattern } from './match-pattern.ts';
import type { MessageFacts, Value } from './run-state.ts';

type AskNode = NodeOf<'ask'>;

/** Deliberately loose: who wants to be sure sends an email. */
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const PHONE = /^\+?[0-9]{6,15}$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const LOCAL_DATE = /^(\d{1,2})[./-](\d{1,2})[./-](\d{4})$/;

const YES = new Set(['yes', 'y', 'yep', 'yeah', 'ok', 'okay', 'sure', 'ja', 'oui', 'si', 'sí', 'sim', '👍']);
const NO = new Set(['no', 'n', 'nope', 'nein', 'non', 'não', '👎']);

const plain = (text: string) => text.trim().toLowerCase();

/** Something that can be chosen. */
export interface Choice {
  id: string;
  title: string;
  next?: string;
}

/** What a question offers to choose from: buttons, or the rows of a list. */
export function choicesOf({ buttons, list }: Pick<AskNode, 'buttons' | 'list'>): Choice[] {
  return [...(buttons ?? []), ...(list?.sections ?? []).flatMap(({ rows }) => rows)];
}

/** The choice that a message makes: by tapping it, or by typing its title. */
export function chosenOf(node: Pick<AskNode, 'buttons' | 'list'>, event: MessageFacts): Choice | undefined {
  const text = event.text === undefined ? undefined : plain(event.text);
  const choices = choicesOf(node);
  return (
    choices.find(({ id }) => id === event.replyId) ??
    choices.find(({ title }) => text !== undefined && plain(title) === text)
  );
}

/**
 * Reads an answer as the question expects it.
 *
 * @returns the value to keep, or undefined when it does not count as an answer.
 */
export function checkAnswer(node: AskNode, event: MessageFacts): Value | undefined {
  const text = event.text?.trim() || undefined;
  const choice = chosenOf(node, event);
  switch (node.expect ?? 'text') {
    case 'button':
      return choice?.id;
    case 'number':
      return text === undefined ? undefined : numberOf(text, node);
    case 'email':
      return text !== undefined && EMAIL.test(text) ? text : undefined;
    case 'phone': {
      const digits = text?.replaceAll(/[\s()./-]/g, '').replace(/^00/, '+');
      return digits !== undefined && PHONE.test(digits) ? digits : undefined;
    }
    case 'date':
      return text === undefined ? undefined : dateOf(text);
    case 'yes-no':
      return yesOrNo(choice?.id ?? text);
    case 'pattern':
      return text !== undefined && matchesPattern(node.pattern ?? '', text, { isWhole: true })
        ? text
        : undefined;
    case 'media':
      return event.media === undefined ? undefined : { ...event.media, type: event.type };
    case 'location':
      return event.location;
    default:
      return choice?.id ?? text;
  }
}

function numberOf(text: string, { minimum, maximum }: AskNode): number | undefined {
  const number = Number(text.replace(',', '.'));
  if (!Number.isFinite(number)) return undefined;
  if (minimum !== undefined && number < minimum) return undefined;
  return maximum !== undefined && number > maximum ? undefined : number;
}

/** A day as `2026-12-24`; days written with dots, slashes or dashes are read as day, month, year. */
function dateOf(text: string): string | undefined {
  const iso = DATE.exec(text);
  const local = LOCAL_DATE.exec(text);
  const [year, month, day] = iso ? iso.slice(1) : local ? local.slice(1).toReversed() : [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const time = Date.parse(`${date}T00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date) ? date : undefined;
}

function yesOrNo(text: string | undefined): boolean | undefined {
  const word = text === undefined ? '' : plain(text).replace(/[.!]+$/, '');
  if (YES.has(word)) return true;
  return NO.has(word) ? false : undefined;
}
