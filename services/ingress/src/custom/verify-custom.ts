import type { IncomingHttpHeaders } from 'node:http';
import { isSignedWith } from '../signatures/is-signed-with.ts';
import { keyOf, type SignatureSettings } from './signature-settings.ts';

/** How far a signed timestamp may be from now, both ways; what the reference library of Standard Webhooks allows. */
const TOLERANCE_SECONDS = 300;

/** Why a request is refused, or that it is not. */
export type Verdict = 'ok' | 'signature-missing' | 'signature-wrong' | 'timestamp-missing' | 'timestamp-old';

/**
 * Checks the signature of a merchant's own system.
 *
 * @param body the raw bytes.
 * @param secrets the current one and, while it is rotated, the previous.
 */
export function verifyCustom(
  settings: SignatureSettings,
  request: { body: Buffer; headers: IncomingHttpHeaders },
  secrets: readonly string[],
  nowMs: number,
): Verdict {
  const { body, headers } = request;
  const keys = secrets.map((secret) => keyOf(settings, secret));
  const stated = readSignatures(settings, headers);
  if (stated.length === 0) return 'signature-missing';
  const timestamp = readTimestamp(settings, headers);
  if (timestamp === undefined) return 'timestamp-missing';
  // Judged after the signature: whoever can't sign learns nothing of clocks.
  const signed = signedBytes(settings, headers, body);
  if (signed === undefined) return 'signature-missing';
  let matches = false;
  for (const signature of stated) if (isSignedWith(signed, signature, keys)) matches = true;
  if (!matches) return 'signature-wrong';
  const isOld = timestamp !== 'none' && Math.abs(nowMs / 1000 - timestamp) > TOLERANCE_SECONDS;
  return isOld ? 'timestamp-old' : 'ok';
}

/** The signed time in seconds; `none` where the scheme has none. */
function readTimestamp(
  settings: SignatureSettings,
  headers: IncomingHttpHeaders,
): number | 'none' | undefined {
  const name = timestampHeaderOf(settings);
  if (name === undefined) return 'none';
  const text = headerOf(headers, name) ?? '';
  return /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

function timestampHeaderOf(settings: SignatureSettings): string | undefined {
  return settings.scheme === 'hmac' ? settings.timestampHeader : 'webhook-timestamp';
}

function signedBytes(
  settings: SignatureSettings,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Buffer | undefined {
  const name = timestampHeaderOf(settings);
  if (name === undefined) return body;
  const timestamp = headerOf(headers, name) ?? '';
  if (settings.scheme === 'hmac') return Buffer.concat([Buffer.from(`${timestamp}.`), body]);
  const id = headerOf(headers, 'webhook-id');
  return id === undefined ? undefined : Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
}

/** The signatures that the headers state, 32 bytes each; a list under Standard Webhooks. */
function readSignatures(settings: SignatureSettings, headers: IncomingHttpHeaders): Buffer[] {
  if (settings.scheme === 'standard-webhooks') {
    const parts = (headerOf(headers, 'webhook-signature') ?? '').split(' ').slice(0, 16);
    return parts.flatMap((part) => decode(part, 'v1,', 'base64') ?? []);
  }
  const { header, prefix = '', encoding } = settings;
  return [headerOf(headers, header)].flatMap((text) => decode(text ?? '', prefix, encoding) ?? []);
}

function decode(text: string, prefix: string, encoding: 'hex' | 'base64'): Buffer | undefined {
  if (!text.startsWith(prefix)) return undefined;
  const rest = text.slice(prefix.length);
  const pattern = encoding === 'hex' ? /^[0-9a-f]{64}$/i : /^[A-Za-z0-9+/]{43}=$/;
  return pattern.test(rest) ? Buffer.from(rest, encoding) : undefined;
}

/** A header of one value, not empty. Node writes names in lower case. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
