/** Turns messages into elements. Text only ever becomes text nodes, so nothing that anyone sends can run here. */

/** Creates an element. @param {string} tag @param {string} [className] @param {(Node|string)[]} children */
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

const marks = [
  [/```([\s\S]+?)```/, 'code'],
  [/(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])/, 'strong'],
  [/(?<![\w_])_(\S(?:[^_\n]*\S)?)_(?![\w_])/, 'em'],
  [/(?<![\w~])~(\S(?:[^~\n]*\S)?)~(?![\w~])/, 's'],
];

/** WhatsApp's *bold*, _italic_, ~struck~ and ```mono```. @param {string} text @returns {(Node|string)[]} */
export function format(text) {
  let first;
  for (const [pattern, tag] of marks) {
    const match = pattern.exec(text);
    if (match && (!first || match.index < first.match.index)) first = { match, tag };
  }
  if (!first) return text === '' ? [] : [text];
  const { match, tag } = first;
  const inside = tag === 'code' ? [match[1]] : format(match[1]);
  return [
    ...(match.index > 0 ? [text.slice(0, match.index)] : []),
    element(tag, '', ...inside),
    ...format(text.slice(match.index + match[0].length)),
  ];
}

const tickPaths = {
  accepted: 'M6 0a6 6 0 1 0 .01 0M6 3v3.200l2 1.300',
  sent: 'm4 6.500 3 3L14 2',
  delivered: 'm0 6.500 3 3L10 2M8 9.500 15 2',
  read: 'm0 6.500 3 3L10 2M8 9.500 15 2',
  failed: 'M6 0a6 6 0 1 0 .01 0M6 3v4M6 9v.01',
};

/** The ticks of a status. @param {string} status */
export function ticks(status) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', `ticks ${status}`);
  svg.setAttribute('viewBox', '0 0 16 12');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', status);
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', tickPaths[status] ?? tickPaths.accepted);
  const title = document.createElementNS('http://www.w3.org/2000/svg', 'title');
  title.textContent = status;
  svg.append(title, path);
  return svg;
}

const body = (text) => element('div', 'body', ...format(String(text ?? '')));
const foot = (text) => (text ? [element('div', 'foot', String(text))] : []);
const tag = (text) => element('span', 'tag', text);

function mediaParts(type, content) {
  const parts = [];
  if (content.id && (type === 'image' || type === 'sticker')) {
    const image = element('img');
    image.src = `_simulator/media/${encodeURIComponent(content.id)}`;
    image.alt = content.caption ?? 'Picture';
    parts.push(image);
  } else parts.push(tag(content.filename ? `${type}: ${content.filename}` : type));
  if (content.link) parts.push(element('div', 'foot', content.link));
  if (content.caption) parts.push(body(content.caption));
  return parts;
}

function headerParts(header) {
  if (!header) return [];
  if (header.type === 'text') return [element('div', 'title', header.text)];
  return mediaParts(header.type, header[header.type] ?? {});
}

function fill(text, parameters = []) {
  return (text ?? '').replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name) => {
    const named = parameters.find((parameter) => parameter.parameter_name === name);
    const parameter = named ?? parameters[Number(name) - 1];
    return parameter?.text ?? parameter?.payload ?? whole;
  });
}

function templateParts(content, templates) {
  const template = templates.find(
    ({ name, language }) => name === content.name && language === content.language?.code,
  );
  const given = content.components ?? [];
  const parts = [tag(`template ${content.name}`)];
  const buttons = [];
  for (const component of template?.components ?? []) {
    const match = given.find(({ type }) => type?.toUpperCase() === component.type);
    if (component.type === 'HEADER' && component.format === 'TEXT') {
      parts.push(element('div', 'title', fill(component.text, match?.parameters)));
    } else if (component.type === 'HEADER') parts.push(...headerParts(match?.parameters?.[0]));
    else if (component.type === 'BODY') parts.push(body(fill(component.text, match?.parameters)));
    else if (component.type === 'FOOTER') parts.push(...foot(component.text));
    for (const [index, button] of (component.buttons ?? []).entries()) {
      const own = given.find((each) => each.type?.toLowerCase() === 'button' && Number(each.index) === index);
      if (button.type === 'QUICK_REPLY') {
        const payload = own?.parameters?.[0]?.payload ?? button.text;
        buttons.push({ title: button.text, reply: { templateButton: { payload, text: button.text } } });
      } else if (button.url) {
        buttons.push({ title: button.text, url: fill(button.url, own?.parameters) });
      } else buttons.push({ title: button.text });
    }
  }
  return { parts, buttons };
}

function interactiveParts(content) {
  const parts = [...headerParts(content.header)];
  if (content.body) parts.push(body(content.body.text));
  parts.push(...foot(content.footer?.text));
  const { action = {} } = content;
  const buttons = (action.buttons ?? []).map(({ reply }) => ({
    title: reply.title,
    reply: { buttonReply: { id: reply.id, title: reply.title } },
  }));
  if (content.type === 'list') buttons.push({ title: action.button, sections: action.sections });
  else if (content.type === 'cta_url')
    buttons.push({ title: action.parameters.display_text, url: action.parameters.url });
  else if (content.type === 'location_request_message')
    buttons.push({ title: 'Send location', attach: 'location' });
  else if (buttons.length === 0) buttons.push({ title: content.type.replaceAll('_', ' ') });
  return { parts, buttons };
}

function replyParts(content) {
  const reply = content[content.type];
  if (!reply) return [tag(content.type ?? 'interactive')];
  if (content.type === 'nfm_reply') return [tag('flow reply'), body(reply.response_json)];
  return [body(reply.title), ...foot(reply.description)];
}

/**
 * What a message shows.
 *
 * @param {string} type @param {Record<string, unknown>} message the object that holds the content under its type
 * @param {object[]} templates
 * @returns {{parts: Node[], buttons: {title: string, reply?: object, url?: string, sections?: object[]}[]}}
 */
export function renderContent(type, message, templates) {
  const content = message[type] ?? {};
  switch (type) {
    case 'text':
      return { parts: [body(content.body)], buttons: [] };
    case 'template':
      return templateParts(content, templates);
    case 'interactive':
      return content.action ? interactiveParts(content) : { parts: replyParts(content), buttons: [] };
    case 'button':
      return { parts: [body(content.text)], buttons: [] };
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker':
      return { parts: mediaParts(type, content), buttons: [] };
    case 'location':
      return {
        parts: [tag('location'), body(content.name ?? `${content.latitude}, ${content.longitude}`)],
        buttons: [],
      };
    case 'contacts':
      return {
        parts: [
          tag('contact'),
          body((Array.isArray(content) ? content : []).map((each) => each.name?.formatted_name).join('\n')),
        ],
        buttons: [],
      };
    default:
      return { parts: [tag(type)], buttons: [] };
  }
}

/** One line that stands for a message where another quotes it. */
export function summarize(type, message) {
  const content = message[type] ?? {};
  return (
    content.body?.text ??
    content.body ??
    content.caption ??
    content.button_reply?.title ??
    content.name ??
    type
  );
}
