import Type, { type Static } from 'typebox';
import { secretMalformed } from '../errors.ts';

const HeaderName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9-]{0,63}$' });

/** How a merchant's own system signs what it sends. */
export const SignatureSettings = Type.Union([
  /** Standard Webhooks 1.0, secret `whsec_<base64>`. */
  Type.Object({ scheme: Type.Literal('standard-webhooks') }, { additionalProperties: false }),
  /** HMAC-SHA256 in a header of the system's own. */
  Type.Object(
    {
      scheme: Type.Literal('hmac'),
      /** The header with the signature. */
      header: HeaderName,
      encoding: Type.Union([Type.Literal('hex'), Type.Literal('base64')]),
      /** What stands before the signature, such as `sha256=`. */
      prefix: Type.Optional(Type.String({ maxLength: 32 })),
      /** A header with unix seconds. Then `<timestamp>.<body>` is what is signed, and old requests are refused. */
      timestampHeader: Type.Optional(HeaderName),
      /** A header with the event's id; `id` of the body otherwise. */
      idHeader: Type.Optional(HeaderName),
      /** A header with the event's type; `type` of the body otherwise. */
      typeHeader: Type.Optional(HeaderName),
    },
    { additionalProperties: false },
  ),
]);
export type SignatureSettings = Static<typeof SignatureSettings>;

/** The key that a secret stands for. @throws CodedError SECRET_MALFORMED */
export function keyOf(settings: SignatureSettings, secret: string): string | Buffer {
  if (settings.scheme === 'hmac') return secret;
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  const key = Buffer.from(encoded ?? '', 'base64');
  if (key.length < 16 || key.length > 64)
    throw secretMalformed('a secret of Standard Webhooks is whsec_ and 24 to 64 random bytes in base64');
  return key;
}
