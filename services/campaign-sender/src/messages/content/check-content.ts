import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import type { SendMessage } from '../outgoing-message.ts';
import { checkInteractive } from './check-interactive.ts';
import { checkMedia } from './check-media.ts';
import { checkTemplateContent } from './check-template-content.ts';
import { interactiveSchemas } from './interactive-schemas.ts';
import { type ContentProblem, join, problem } from './problem.ts';
import * as simple from './simple-schemas.ts';
import { TemplateContent } from './template-schema.ts';

/** The kinds of message. */
export type MessageType = NonNullable<SendMessage['type']>;

type Json = Record<string, unknown>;

/** The schema of each kind but `interactive`, whose schemas go by its own `type`. */
export const contentSchemas: Readonly<Record<Exclude<MessageType, 'interactive'>, TSchema>> = {
  text: simple.TextContent,
  image: simple.ImageContent,
  video: simple.VideoContent,
  audio: simple.AudioContent,
  document: simple.DocumentContent,
  sticker: simple.StickerContent,
  reaction: simple.ReactionContent,
  location: simple.LocationContent,
  contacts: simple.ContactsContent,
  template: TemplateContent,
};

const compiled = new Map<TSchema, Validator>();

/**
 * Checks a message's content before anything is recorded: what the provider would refuse for its form is refused here, by the
 * name of the field.
 *
 * @param content the Cloud API's object of the type; for `contacts`, `{contacts: […]}`. Files may be named as `media` (ours).
 */
export function checkContent(type: MessageType, content: Json): ContentProblem | undefined {
  if (type !== 'interactive') return checkSchema(contentSchemas[type], content) ?? checkRules(type, content);
  const { type: kind } = content;
  const schema =
    typeof kind === 'string' && Object.hasOwn(interactiveSchemas, kind)
      ? interactiveSchemas[kind]
      : undefined;
  if (!schema) return problem('type', `must be one of ${Object.keys(interactiveSchemas).join(', ')}`);
  return checkSchema(schema, content) ?? checkInteractive(content);
}

function checkRules(type: MessageType, content: Json): ContentProblem | undefined {
  switch (type) {
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker':
      return checkMedia('', content);
    case 'template':
      return checkTemplateContent(content);
    default:
      return undefined;
  }
}

function checkSchema(schema: TSchema, content: Json): ContentProblem | undefined {
  let validator = compiled.get(schema);
  if (!validator) {
    validator = Compile(schema);
    compiled.set(schema, validator);
  }
  if (validator.Check(content)) return undefined;
  const errors = validator.Errors(content);
  // A closed object reports a key that it does not know twice; the second says it in words.
  const error = errors.find(({ keyword }) => keyword !== 'boolean') ?? errors[0];
  if (!error) return problem('', 'does not fit the schema');
  const path = error.instancePath.split('/').slice(1);
  switch (error.keyword) {
    case 'required':
      return problem(join(...path, error.params.requiredProperties[0] ?? ''), 'must be present');
    case 'additionalProperties':
      return problem(
        join(...path, error.params.additionalProperties[0] ?? ''),
        'is not a field of this kind',
      );
    case 'enum':
      return problem(join(...path), `must be one of ${error.params.allowedValues.join(', ')}`);
    case 'const':
      return problem(join(...path), `must be ${String(error.params.allowedValue)}`);
    default:
      return problem(join(...path), error.message);
  }
}
