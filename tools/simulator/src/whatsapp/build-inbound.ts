import { newWamid } from './identifiers.ts';
import type { InboundInput } from './inbound-message.ts';
import type { MediaStore } from './media-store.ts';
import type { BusinessNumber } from './numbers.ts';
import type { Person } from './people.ts';
import { createSamplePicture } from './sample-picture.ts';

type Json = Record<string, unknown>;

/** The bytes of every kind of media that a test gives none for. */
const samplePicture = createSamplePicture();
const mediaTypes: Record<string, string> = {
  image: 'image/png',
  sticker: 'image/webp',
  video: 'video/mp4',
  audio: 'audio/ogg; codecs=opus',
  document: 'application/pdf',
};

/** The message type that an input stands for. */
function typeOf(input: InboundInput): string {
  if (input.type !== undefined) return input.type;
  if (input.buttonReply ?? input.listReply ?? input.flowReply) return 'interactive';
  if (input.templateButton) return 'button';
  return input.reaction ? 'reaction' : 'text';
}

function mediaContent(type: string, input: InboundInput, media: MediaStore): Json {
  const mimeType = input.mimeType ?? (mediaTypes[type] as string);
  const bytes = input.mediaBase64 === undefined ? samplePicture : Buffer.from(input.mediaBase64, 'base64');
  const stored = media.put(bytes, mimeType, input.fileName);
  return {
    mime_type: mimeType,
    // Inbound webhooks carry the digest in base64, the media endpoint in hex.
    sha256: Buffer.from(stored.sha256, 'hex').toString('base64'),
    id: stored.id,
    ...(input.caption === undefined ? {} : { caption: input.caption }),
    ...(type === 'audio' ? { voice: true } : {}),
    ...(type === 'sticker' ? { animated: false } : {}),
    ...(type === 'document' ? { filename: input.fileName ?? 'document.pdf' } : {}),
  };
}

function contentOf(type: string, input: InboundInput, media: MediaStore): unknown {
  if (input.content !== undefined) return input.content;
  if (type === 'text') return { body: input.text ?? '' };
  if (input.buttonReply) return { type: 'button_reply', button_reply: input.buttonReply };
  if (input.listReply) return { type: 'list_reply', list_reply: input.listReply };
  if (input.flowReply) {
    const reply = { name: 'flow', body: 'Sent', response_json: JSON.stringify(input.flowReply) };
    return { type: 'nfm_reply', nfm_reply: reply };
  }
  if (input.templateButton) return input.templateButton;
  if (input.reaction) {
    const { messageId, emoji } = input.reaction;
    return { message_id: messageId, ...(emoji === undefined ? {} : { emoji }) };
  }
  return type in mediaTypes ? mediaContent(type, input, media) : undefined;
}

const unsupported = {
  code: 131051,
  title: 'Message type unknown',
  message: 'Message type unknown',
  error_data: { details: 'Message type is currently not supported.' },
};

/**
 * Builds the entry of `messages[]` for a person's message.
 *
 * @param person who sends it; without a phone the message has only user ids.
 */
export function buildInbound(
  input: InboundInput,
  number: BusinessNumber,
  person: Person,
  media: MediaStore,
): Json & { id: string; type: string } {
  const type = typeOf(input);
  const content = contentOf(type, input, media);
  const errors = input.errors ?? (type === 'unsupported' ? [unsupported] : undefined);
  const context =
    input.context ?? (input.replyTo === undefined ? undefined : { from: number.digits, id: input.replyTo });
  return {
    ...(person.phone === undefined ? {} : { from: person.phone }),
    from_user_id: person.userId,
    ...(person.parentUserId === undefined ? {} : { from_parent_user_id: person.parentUserId }),
    id: input.id ?? newWamid(person.phone ?? person.userId),
    timestamp: String(input.timestampSeconds ?? Math.floor(Date.now() / 1000)),
    ...(context === undefined ? {} : { context }),
    ...(input.referral === undefined ? {} : { referral: input.referral }),
    type,
    ...(content === undefined ? {} : { [type]: content }),
    ...(errors === undefined ? {} : { errors }),
    ...input.extra,
  } as Json & { id: string; type: string };
}
