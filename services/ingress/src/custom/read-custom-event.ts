import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type ParseProblem, parseExact } from '../whatsapp/parse-exact.ts';
import { asObject, readIdText } from '../whatsapp/read-json.ts';
import type { SignatureSettings } from './signature-settings.ts';
import { headerOf } from './verify-custom.ts';

/** An event of a merchant's own system. */
export interface CustomEvent {
  /** The system's id of it; of the body's bytes where it gives none, so that a repeat is one. */
  readonly id: string;
  readonly type: string;
  readonly occurredAtMs?: number;
  readonly body: string;
}

/** Reads a verified request. @returns why it is no event, where it is none. */
export function readCustomEvent(
  settings: SignatureSettings,
  { body, headers }: { body: Buffer; headers: IncomingHttpHeaders },
): CustomEvent | ParseProblem | 'not-an-object' {
  const parsed = parseExact(body);
  if (!parsed.ok) return parsed.problem;
  const root = asObject(parsed.value);
  if (!root) return 'not-an-object';
  const named = (header: string | undefined) =>
    header === undefined ? undefined : headerOf(headers, header);
  const isHmac = settings.scheme === 'hmac';
  const idHeader = isHmac ? settings.idHeader : 'webhook-id';
  const id = named(idHeader)?.slice(0, 512) ?? readIdText(root.id, 512) ?? hash('sha256', body, 'base64url');
  const type = named(isHmac ? settings.typeHeader : undefined) ?? readIdText(root.type, 191) ?? 'event';
  const occurredAtMs = readTime(root.timestamp) ?? readTime(root.occurredAt);
  return {
    id,
    type: type.slice(0, 191),
    ...(occurredAtMs !== undefined && { occurredAtMs }),
    body: parsed.text,
  };
}

/** ISO 8601. Numbers are left alone: seconds and milliseconds can't be told apart for sure. */
function readTime(value: unknown): number | undefined {
  const time = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isSafeInteger(time) && time > 0 ? time : undefined;
}
