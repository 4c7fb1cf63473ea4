import { type GraphError, graphError } from './graph-error.ts';
import { validateInteractive } from './validate-interactive.ts';

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const required = (path: string) => graphError(100, undefined, `The parameter ${path} is required.`);
const tooLong = (path: string, max: number) =>
  graphError(100, undefined, `Param ${path} must be at most ${max} characters long.`);

function unexpectedKey(type: string, content: Json, allowed: readonly string[]): GraphError | undefined {
  for (const key of Object.keys(content)) {
    if (!allowed.includes(key))
      return graphError(100, undefined, `Unexpected key "${key}" on param "${type}".`);
  }
  return undefined;
}

function validateText(content: Json): GraphError | undefined {
  const { body } = content;
  if (body === undefined || body === '') return required("text['body']");
  if (typeof body !== 'string') return graphError(100, undefined, "Param text['body'] must be a string.");
  if (body.length > 4096) return tooLong("text['body']", 4096);
  return unexpectedKey('text', content, ['body', 'preview_url']);
}

const mediaKeys: Record<string, readonly string[]> = {
  image: ['id', 'link', 'caption'],
  video: ['id', 'link', 'caption'],
  document: ['id', 'link', 'caption', 'filename'],
  audio: ['id', 'link', 'voice'],
  sticker: ['id', 'link'],
};

function validateMedia(
  type: string,
  content: Json,
  hasMedia: (mediaId: string) => boolean,
): GraphError | undefined {
  const { id, link, caption } = content;
  if (id === undefined && link === undefined) return graphError(131008, `${type}: id or link is required`);
  if (id !== undefined) {
    if (typeof id !== 'string' && typeof id !== 'number')
      return graphError(131009, `${type}: id must be a string`);
    if (!hasMedia(String(id))) return graphError(131009, `${type}: media id ${id} does not exist`);
  } else if (typeof link !== 'string' || !/^https?:\/\//.test(link) || !URL.canParse(link)) {
    return graphError(100, undefined, `Param ${type}['link'] is not a valid URI.`);
  }
  if (caption !== undefined && typeof caption !== 'string') {
    return graphError(100, undefined, `Param ${type}['caption'] must be a string.`);
  }
  if (typeof caption === 'string' && caption.length > 1024) return tooLong(`${type}['caption']`, 1024);
  return unexpectedKey(type, content, mediaKeys[type] as readonly string[]);
}

function validateReaction(content: Json): GraphError | undefined {
  if (typeof content.message_id !== 'string') return required("reaction['message_id']");
  if (typeof content.emoji !== 'string') return required("reaction['emoji']");
  return undefined;
}

function validateLocation(content: Json): GraphError | undefined {
  for (const key of ['latitude', 'longitude']) {
    if (content[key] === undefined) return required(`location['${key}']`);
    const bound = key === 'latitude' ? 90 : 180;
    const value = Number(content[key]);
    if (Number.isNaN(value) || Math.abs(value) > bound)
      return graphError(131009, `location ${key} is out of range`);
  }
  return undefined;
}

function validateContacts(content: unknown): GraphError | undefined {
  if (!Array.isArray(content) || content.length === 0) return required('contacts');
  for (const contact of content as unknown[]) {
    const name = isObject(contact) ? contact.name : undefined;
    if (!isObject(name) || typeof name.formatted_name !== 'string')
      return required("contacts['name']['formatted_name']");
  }
  return undefined;
}

/** What {@link validateContent} looks up. */
export interface ContentLookups {
  hasMedia(mediaId: string): boolean;
  validateTemplate(content: Json): GraphError | undefined;
}

/** Every type that can be sent. */
export const sendableTypes = [
  'audio',
  'contacts',
  'document',
  'image',
  'interactive',
  'location',
  'reaction',
  'sticker',
  'template',
  'text',
  'video',
] as const;

/**
 * Checks what stands under a message's type.
 *
 * @param type one of {@link sendableTypes}.
 * @returns the error, or undefined when the content can be sent.
 */
export function validateContent(
  type: string,
  content: unknown,
  lookups: ContentLookups,
): GraphError | undefined {
  if (type === 'contacts') return content === undefined ? required('contacts') : validateContacts(content);
  if (content === undefined) return required(type);
  if (!isObject(content)) return graphError(100, undefined, `Param ${type} must be a JSON object.`);
  switch (type) {
    case 'text':
      return validateText(content);
    case 'template':
      return lookups.validateTemplate(content);
    case 'interactive':
      return validateInteractive(content);
    case 'reaction':
      return validateReaction(content);
    case 'location':
      return validateLocation(content);
    default:
      return validateMedia(type, content, lookups.hasMedia);
  }
}
