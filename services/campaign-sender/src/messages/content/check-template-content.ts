import { checkMedia } from './check-media.ts';
import { type ContentProblem, join, problem } from './problem.ts';

type Json = Record<string, unknown>;

/** A filled component as callers write it. */
export interface FilledComponent {
  type: string;
  sub_type?: string;
  index?: string | number;
  parameters?: Json[];
  cards?: { card_index: number; components: FilledComponent[] }[];
}

/** Rules of a template's filling that hold whatever the template is. The content fits its schema. */
export function checkTemplateContent(content: Json): ContentProblem | undefined {
  return checkComponents('components', (content.components as FilledComponent[] | undefined) ?? []);
}

function checkComponents(field: string, components: readonly FilledComponent[]): ContentProblem | undefined {
  for (const [at, component] of components.entries()) {
    const path = join(field, at);
    if (component.type.toLowerCase() === 'button') {
      if (component.sub_type === undefined) return problem(`${path}.sub_type`, 'must be present');
      if (component.index === undefined) return problem(`${path}.index`, 'must be present');
    }
    for (const [position, parameter] of (component.parameters ?? []).entries()) {
      const found = checkParameter(`${path}.parameters.${position}`, parameter);
      if (found) return found;
    }
    for (const [position, card] of (component.cards ?? []).entries()) {
      const found = checkComponents(`${path}.cards.${position}.components`, card.components);
      if (found) return found;
    }
  }
  return undefined;
}

function checkParameter(field: string, parameter: Json): ContentProblem | undefined {
  const type = parameter.type as string;
  const value = parameter[type];
  if (value === undefined) return problem(`${field}.${type}`, 'must be present');
  if (type === 'text' && /[\n\t]| {5,}/.test(value as string))
    return problem(`${field}.text`, 'must not have new lines, tabs or more than four blanks in a row');
  return ['image', 'video', 'document'].includes(type)
    ? checkMedia(`${field}.${type}`, value as Json)
    : undefined;
}
