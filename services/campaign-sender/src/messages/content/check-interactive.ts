import { checkMedia } from './check-media.ts';
import { type ContentProblem, firstRepeated, problem } from './problem.ts';

type Json = Record<string, unknown>;

/** Rules of interactive messages that a schema can't tell. The content fits the schema of its type. */
export function checkInteractive(content: Json): ContentProblem | undefined {
  return checkHeader(content.header as Json | undefined, 'header') ?? rules[String(content.type)]?.(content);
}

function checkHeader(header: Json | undefined, field: string): ContentProblem | undefined {
  if (header === undefined) return undefined;
  const type = header.type as string;
  const value = header[type];
  if (value === undefined) return problem(`${field}.${type}`, 'must be present');
  return type === 'text' ? undefined : checkMedia(`${field}.${type}`, value as Json);
}

const rules: Readonly<Record<string, (content: Json) => ContentProblem | undefined>> = {
  button({ action }) {
    const { buttons } = action as { buttons: { reply: { id: string; title: string } }[] };
    for (const key of ['id', 'title'] as const) {
      const repeated = firstRepeated(buttons.map(({ reply }) => reply[key]));
      if (repeated >= 0)
        return problem(`action.buttons.${repeated}.reply.${key}`, 'must differ from the others');
    }
    return undefined;
  },
  list({ action }) {
    const { sections } = action as { sections: { title?: string; rows: { id: string }[] }[] };
    const untitled = sections.findIndex(({ title }) => title === undefined);
    if (sections.length > 1 && untitled >= 0)
      return problem(`action.sections.${untitled}.title`, 'must be present where there are several sections');
    const rows = sections.flatMap((section, at) => section.rows.map(({ id }, row) => ({ id, at, row })));
    if (rows.length > 10) return problem('action.sections', 'must not have more than 10 rows in all');
    const repeated = rows[firstRepeated(rows.map(({ id }) => id))];
    if (repeated)
      return problem(`action.sections.${repeated.at}.rows.${repeated.row}.id`, 'must differ from the others');
    return undefined;
  },
  flow({ action }) {
    const { parameters } = action as { parameters: Json };
    if ((parameters.flow_id === undefined) === (parameters.flow_name === undefined))
      return problem('action.parameters', 'must have exactly one of flow_id and flow_name');
    if (parameters.flow_action !== 'data_exchange' || parameters.flow_action_payload === undefined)
      return undefined;
    return problem('action.parameters.flow_action_payload', 'belongs to flow_action navigate only');
  },
  product_list({ header }) {
    return header === undefined ? problem('header', 'must be present') : undefined;
  },
  carousel({ action }) {
    const { cards } = action as { cards: { card_index: number; header?: Json }[] };
    for (const [index, card] of cards.entries()) {
      const found = checkHeader(card.header, `action.cards.${index}.header`);
      if (found) return found;
    }
    const repeated = firstRepeated(cards.map(({ card_index }) => card_index));
    return repeated < 0
      ? undefined
      : problem(`action.cards.${repeated}.card_index`, 'must differ from the others');
  },
};
