import type { FilledComponent } from '../messages/content/check-template-content.ts';
import { type ContentProblem, join, problem } from '../messages/content/problem.ts';
import type { DefinedComponent, TemplateFacts } from './template-facts.ts';

type Json = Record<string, unknown>;
/** A filled component with its place in the request. */
type Placed = FilledComponent & { path: string };

const subTypes: Readonly<Record<string, readonly string[]>> = {
  URL: ['url'],
  OTP: ['url', 'otp'],
  QUICK_REPLY: ['quick_reply'],
  COPY_CODE: ['copy_code'],
  FLOW: ['flow'],
  CATALOG: ['catalog'],
  MPM: ['mpm'],
};

/**
 * Checks a template's filling against the template: number and names of parameters, kind of header, buttons, cards.
 *
 * @param content fits the schema of templates.
 * @returns what the provider would refuse with 132000, 132012, 131008 or 131009.
 */
export function checkTemplate(template: TemplateFacts, content: Json): ContentProblem | undefined {
  if (template.components === null) return undefined;
  const given = (content.components as FilledComponent[] | undefined) ?? [];
  const placed = given.map((each, index) => ({ ...each, path: `components.${index}` }));
  return checkParts(template.components, placed, template.isNamed, 'components');
}

function checkParts(
  defined: readonly DefinedComponent[],
  given: readonly Placed[],
  isNamed: boolean,
  root: string,
): ContentProblem | undefined {
  const definition = (type: string) => defined.find((each) => each.type.toUpperCase() === type);
  const filling = (type: string) => given.find((each) => each.type.toLowerCase() === type);
  const repeated = given.find(
    ({ type }, index) =>
      type.toLowerCase() !== 'button' &&
      given.findIndex((each) => each.type.toLowerCase() === type.toLowerCase()) < index,
  );
  if (repeated) return problem(repeated.path, `is a second ${repeated.type.toLowerCase()}`);
  return (
    checkHeader(definition('HEADER'), filling('header'), isNamed, root) ??
    checkText('body', definition('BODY')?.text, filling('body'), isNamed, root) ??
    checkOffer(definition('LIMITED_TIME_OFFER'), filling('limited_time_offer'), root) ??
    checkButtons(
      definition('BUTTONS')?.buttons ?? [],
      given.filter(({ type }) => type.toLowerCase() === 'button'),
      root,
    ) ??
    checkCards(definition('CAROUSEL')?.cards, filling('carousel'), isNamed, root)
  );
}

const remembered = new Map<string, readonly string[]>();
const REMEMBERED_MOST = 5000;

/** The distinct placeholders of a text: `1`, `first_name`. Texts of templates are few and each is asked for often. */
export function placeholdersOf(text = ''): readonly string[] {
  const known = remembered.get(text);
  if (known) return known;
  const found = [...new Set([...text.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map((match) => match[1]!))];
  if (remembered.size >= REMEMBERED_MOST) remembered.clear();
  remembered.set(text, found);
  return found;
}

function checkText(
  part: string,
  text: string | undefined,
  filling: Placed | undefined,
  isNamed: boolean,
  root: string,
): ContentProblem | undefined {
  const expected = placeholdersOf(text);
  const parameters = filling?.parameters ?? [];
  const field = filling ? join(filling.path, 'parameters') : root;
  if (parameters.length !== expected.length)
    return problem(
      field,
      expected.length === 0
        ? `must have no parameters for the ${part}: the template has none`
        : `must have ${expected.length} for the ${part} (${expected.join(', ')}), not ${parameters.length}`,
    );
  for (const [index, parameter] of parameters.entries()) {
    const path = `${field}.${index}`;
    if (!['text', 'currency', 'date_time'].includes(parameter.type as string))
      return problem(join(path, 'type'), `must be text, currency or date_time in a ${part}`);
    if (!isNamed) continue;
    const name = parameter.parameter_name as string | undefined;
    if (name === undefined || !expected.includes(name))
      return problem(join(path, 'parameter_name'), `must be one of ${expected.join(', ')}`);
    if (parameters.findIndex((each) => each.parameter_name === name) < index)
      return problem(join(path, 'parameter_name'), 'must differ from the others');
  }
  return undefined;
}

function checkHeader(
  definition: DefinedComponent | undefined,
  filling: Placed | undefined,
  isNamed: boolean,
  root: string,
): ContentProblem | undefined {
  const format = (definition?.format ?? 'TEXT').toUpperCase();
  if (format === 'TEXT') return checkText('header', definition?.text, filling, isNamed, root);
  const parameters = filling?.parameters ?? [];
  const field = filling ? join(filling.path, 'parameters') : root;
  const type = format.toLowerCase();
  if (parameters.length !== 1) return problem(field, `must have one ${type} for the header`);
  return parameters[0]!.type === type ? undefined : problem(`${field}.0.type`, `must be ${type}`);
}

function checkOffer(
  definition: DefinedComponent | undefined,
  filling: Placed | undefined,
  root: string,
): ContentProblem | undefined {
  if (!definition?.limited_time_offer?.has_expiration) return undefined;
  return filling?.parameters?.[0]?.type === 'limited_time_offer'
    ? undefined
    : problem(filling?.path ?? root, 'must have a limited_time_offer that tells when the offer ends');
}

function checkButtons(
  buttons: readonly { type: string; url?: string }[],
  given: readonly Placed[],
  root: string,
): ContentProblem | undefined {
  for (const component of given) {
    const button = buttons[Number(component.index)];
    if (!button)
      return problem(
        join(component.path, 'index'),
        `must be below ${buttons.length}, the template's buttons`,
      );
    const allowed = subTypes[button.type.toUpperCase()];
    if (allowed && !allowed.includes(component.sub_type!.toLowerCase()))
      return problem(join(component.path, 'sub_type'), `must be ${allowed[0]} for this button`);
  }
  for (const [index, button] of buttons.entries()) {
    const component = given.find((each) => Number(each.index) === index);
    const found = checkButton(button, component, index, root);
    if (found) return found;
  }
  return undefined;
}

function checkButton(
  { type, url }: { type: string; url?: string },
  component: Placed | undefined,
  index: number,
  root: string,
): ContentProblem | undefined {
  const parameters = component?.parameters ?? [];
  const field = component ? join(component.path, 'parameters') : root;
  const kind = type.toUpperCase();
  if (kind === 'COPY_CODE')
    return parameters.length === 1 && parameters[0]!.type === 'coupon_code'
      ? undefined
      : problem(field, `must have one coupon_code for button ${index}`);
  if (kind !== 'URL' && kind !== 'OTP') return undefined;
  const expected = kind === 'OTP' ? 1 : placeholdersOf(url).length;
  if (parameters.length !== expected)
    return problem(field, `must have ${expected} for button ${index}, not ${parameters.length}`);
  if (expected > 0 && parameters[0]!.type !== 'text')
    return problem(`${field}.0.type`, `must be text for button ${index}`);
  return undefined;
}

function checkCards(
  cards: DefinedComponent['cards'],
  filling: Placed | undefined,
  isNamed: boolean,
  root: string,
): ContentProblem | undefined {
  if (!cards) return filling ? problem(filling.path, 'is for a template with cards') : undefined;
  const given = filling?.cards ?? [];
  const field = filling ? join(filling.path, 'cards') : root;
  if (given.length !== cards.length)
    return problem(field, `must have ${cards.length} cards, not ${given.length}`);
  for (const [position, { card_index: index, components }] of given.entries()) {
    const card = cards[index];
    if (!card) return problem(`${field}.${position}.card_index`, `must be below ${cards.length}`);
    const below = `${field}.${position}.components`;
    const found = checkParts(
      card.components,
      components.map((each, at) => ({ ...each, path: `${below}.${at}` })),
      isNamed,
      below,
    );
    if (found) return found;
  }
  return undefined;
}
