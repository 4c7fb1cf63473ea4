import { type GraphError, graphError } from './graph-error.ts';

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const kinds = [
  'button',
  'list',
  'product',
  'product_list',
  'catalog_message',
  'cta_url',
  'flow',
  'location_request_message',
  'address_message',
  'call_permission_request',
  'request_contact_info',
  'carousel',
  'voice_call',
];

function lengthError(what: string, value: unknown, max: number): GraphError | undefined {
  if (typeof value === 'string' && value.length >= 1 && value.length <= max) return undefined;
  return graphError(131009, `${what} length invalid. Min length: 1, Max length: ${max}`);
}

function checkButtons(action: Json): GraphError | undefined {
  const { buttons } = action;
  if (!Array.isArray(buttons)) return graphError(131008, "action['buttons'] is required");
  if (buttons.length < 1 || buttons.length > 3) {
    return graphError(131009, 'Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3');
  }
  const ids = new Set<unknown>();
  for (const button of buttons as unknown[]) {
    const reply = isObject(button) && button.type === 'reply' ? button.reply : undefined;
    if (!isObject(reply))
      return graphError(131009, "Button type is not valid. It must be 'reply' with a reply object");
    const problem = lengthError('Button title', reply.title, 20) ?? lengthError('Button id', reply.id, 256);
    if (problem) return problem;
    ids.add(reply.id);
  }
  return ids.size === buttons.length ? undefined : graphError(131009, 'Duplicate button ids are not allowed');
}

function checkSections(action: Json): GraphError | undefined {
  const { sections } = action;
  const buttonProblem = lengthError('Button label', action.button, 20);
  if (buttonProblem) return buttonProblem;
  if (!Array.isArray(sections) || sections.length === 0)
    return graphError(131008, "action['sections'] is required");
  if (sections.length > 10) return graphError(131009, 'Total section count exceed max allowed count: 10');
  const ids = new Set<unknown>();
  let rowCount = 0;
  for (const section of sections as unknown[]) {
    const rows = isObject(section) ? section.rows : undefined;
    if (!isObject(section) || !Array.isArray(rows) || rows.length === 0) {
      return graphError(131009, 'Section must have at least one row');
    }
    if (sections.length > 1 || section.title !== undefined) {
      const problem = lengthError('Section title', section.title, 24);
      if (problem) return problem;
    }
    for (const row of rows as unknown[]) {
      if (!isObject(row)) return graphError(131009, 'Row must be an object');
      const problem = lengthError('Row title', row.title, 24) ?? lengthError('Row id', row.id, 200);
      if (problem) return problem;
      if (
        row.description !== undefined &&
        (typeof row.description !== 'string' || row.description.length > 72)
      ) {
        return graphError(131009, 'Row description length invalid. Max length: 72');
      }
      ids.add(row.id);
      rowCount += 1;
    }
  }
  if (rowCount > 10) return graphError(131009, 'Total row count exceed max allowed count: 10');
  return ids.size === rowCount ? undefined : graphError(131009, 'Duplicate row ids are not allowed');
}

/**
 * Checks the `interactive` object of a send.
 *
 * @returns the error, or undefined when it is sound.
 */
export function validateInteractive(content: Json): GraphError | undefined {
  const { type, action, body } = content;
  if (typeof type !== 'string')
    return graphError(100, undefined, "The parameter interactive['type'] is required.");
  if (!kinds.includes(type)) {
    return graphError(
      100,
      undefined,
      `Param interactive['type'] must be one of {${kinds.map((kind) => kind.toUpperCase()).join(', ')}} - got "${type}".`,
    );
  }
  if (!isObject(action)) return graphError(131008, 'interactive.action is required');
  const bodyMax = type === 'list' ? 4096 : 1024;
  if (type !== 'product' && type !== 'request_contact_info') {
    if (!isObject(body)) return graphError(131008, 'interactive.body is required');
    const problem = lengthError('Body text', body.text, bodyMax);
    if (problem) return problem;
  }
  const footer =
    content.footer === undefined ? undefined : isObject(content.footer) ? content.footer.text : '';
  if (content.footer !== undefined) {
    const problem = lengthError('Footer text', footer, 60);
    if (problem) return problem;
  }
  if (type === 'button') return checkButtons(action);
  if (type === 'list') return checkSections(action);
  if (type === 'cta_url') {
    const parameters = action.parameters;
    if (action.name !== 'cta_url') return graphError(131009, "action['name'] must be cta_url");
    if (!isObject(parameters)) return graphError(131008, "action['parameters'] is required");
    if (typeof parameters.url !== 'string' || !URL.canParse(parameters.url)) {
      return graphError(131009, 'url is not a valid URL');
    }
    return lengthError('Display text', parameters.display_text, 20);
  }
  const expected = actionNames[type];
  if (expected !== undefined && action.name !== expected)
    return graphError(131009, `action['name'] must be ${expected}`);
  return type === 'flow' ? checkFlow(action) : undefined;
}

const actionNames: Readonly<Record<string, string>> = {
  flow: 'flow',
  location_request_message: 'send_location',
  request_contact_info: 'request_contact_info',
  catalog_message: 'catalog_message',
  address_message: 'address_message',
};

function checkFlow({ parameters }: Json): GraphError | undefined {
  if (!isObject(parameters)) return graphError(131008, "action['parameters'] is required");
  const { flow_id: id, flow_name: name, flow_cta: label } = parameters;
  if ((id === undefined) === (name === undefined))
    return graphError(131009, 'Exactly one of flow_id and flow_name must be given');
  if (String(parameters.flow_message_version) !== '3')
    return graphError(131009, 'flow_message_version must be 3');
  return lengthError('flow_cta', label, 30);
}
