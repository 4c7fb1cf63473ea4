import { type GraphError, graphError } from './graph-error.ts';
import type { Template, TemplateComponent } from './templates.ts';

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The distinct placeholders of a template's text: `{{1}}`, `{{first_name}}`. */
function placeholders(text: string | undefined): string[] {
  return [...new Set([...(text ?? '').matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map((match) => match[1] as string))];
}

function countMismatch(part: string, given: number, expected: number): GraphError {
  return graphError(
    132000,
    `${part}: number of localizable_params (${given}) does not match the expected number of params (${expected})`,
  );
}

function checkParameters(part: string, given: unknown, text: string | undefined, named: boolean) {
  const expected = placeholders(text);
  const parameters = Array.isArray(given) ? (given as unknown[]) : [];
  if (parameters.length !== expected.length) return countMismatch(part, parameters.length, expected.length);
  for (const parameter of parameters) {
    if (!isObject(parameter)) return graphError(131009, `${part}: parameter must be an object`);
    const { type } = parameter;
    if (type !== 'text' && type !== 'currency' && type !== 'date_time' && type !== 'payload') {
      return graphError(
        132012,
        `${part}: Format mismatch, expected TEXT, received ${String(type).toUpperCase()}`,
      );
    }
    if (type === 'text' && (typeof parameter.text !== 'string' || parameter.text === '')) {
      return graphError(131008, 'Parameter of type text is missing text value');
    }
    if (named && !expected.includes(String(parameter.parameter_name))) {
      return graphError(100, `${part}: parameter_name is missing or does not exist in the template`);
    }
  }
  return undefined;
}

function checkHeader(definition: TemplateComponent, component: Json | undefined, named: boolean) {
  const format = definition.format ?? 'TEXT';
  if (format === 'TEXT') return checkParameters('header', component?.parameters, definition.text, named);
  const parameters = Array.isArray(component?.parameters) ? (component.parameters as unknown[]) : [];
  if (parameters.length !== 1) return countMismatch('header', parameters.length, 1);
  const [parameter] = parameters;
  const type = isObject(parameter) ? String(parameter.type) : '';
  if (type.toUpperCase() === format) return undefined;
  return graphError(
    132012,
    `header: Format mismatch, expected ${format}, received ${type.toUpperCase() || 'UNKNOWN'}`,
  );
}

function checkButtons(definition: TemplateComponent | undefined, given: readonly Json[]) {
  const buttons = definition?.buttons ?? [];
  for (const component of given) {
    if (!buttons[Number(component.index)]) {
      return graphError(131009, `Button at index ${String(component.index)} does not exist in the template`);
    }
  }
  for (const [index, button] of buttons.entries()) {
    const component = given.find((each) => Number(each.index) === index);
    const expected =
      button.type === 'URL' ? placeholders(button.url).length : button.type === 'COPY_CODE' ? 1 : 0;
    const parameters = Array.isArray(component?.parameters) ? component.parameters.length : 0;
    if (parameters < expected) {
      return graphError(
        131008,
        `buttons: Button at index ${index} of type ${button.type} requires a parameter`,
      );
    }
    if (button.type === 'URL' && parameters > expected) return countMismatch('buttons', parameters, expected);
  }
  return undefined;
}

/** One-tap, zero-tap and copy-code buttons write to a phone, so a user id is not enough. */
function needsPhone(template: Template): boolean {
  return (
    template.category === 'AUTHENTICATION' ||
    template.components.some(({ buttons }) => buttons?.some(({ type }) => type === 'OTP'))
  );
}

/**
 * Checks the `template` object of a send.
 *
 * @param find finds a template of the sending account.
 * @returns the error, or undefined when the template can be sent.
 */
export function validateTemplate(
  content: Json,
  find: (name: string, language: string) => Template | undefined,
  toPhone: boolean,
): GraphError | undefined {
  const { name, language } = content;
  if (typeof name !== 'string' || name === '') {
    return graphError(100, undefined, "The parameter template['name'] is required.");
  }
  const code = isObject(language) ? language.code : undefined;
  if (typeof code !== 'string' || code === '') {
    return graphError(100, undefined, "The parameter template['language']['code'] is required.");
  }
  const template = find(name, code);
  if (!template || !['APPROVED', 'PAUSED', 'DISABLED'].includes(template.status)) {
    return graphError(132001, `template name (${name}) does not exist in ${code}`);
  }
  if (template.status === 'PAUSED') return graphError(132015, `template ${name} is paused`);
  if (template.status === 'DISABLED') return graphError(132016, `template ${name} is disabled`);
  if (!toPhone && needsPhone(template)) {
    return graphError(131062, 'Authentication templates with a button need a phone number');
  }
  if (content.components !== undefined && !Array.isArray(content.components)) {
    return graphError(100, undefined, "Param template['components'] must be an array.");
  }
  const given = (content.components as unknown[] | undefined) ?? [];
  if (!given.every(isObject))
    return graphError(100, undefined, "Param template['components'] must hold objects.");
  const named = template.parameterFormat === 'NAMED';
  const definition = (type: string) => template.components.find((each) => each.type === type);
  const component = (type: string) => given.find((each) => String(each.type).toLowerCase() === type);
  const header = definition('HEADER');
  return (
    (header
      ? checkHeader(header, component('header'), named)
      : checkParameters('header', component('header')?.parameters, '', named)) ??
    checkParameters('body', component('body')?.parameters, definition('BODY')?.text, named) ??
    checkButtons(
      definition('BUTTONS'),
      given.filter((each) => String(each.type).toLowerCase() === 'button'),
    )
  );
}
