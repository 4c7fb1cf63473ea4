import type { EventToKeep } from '../intake/create-unrouted-events.ts';
import type { KnownSource } from '../merchants/create-directory.ts';
import { cutOut } from './cut-out.ts';
import type { ParsedBody } from './parse-exact.ts';
import type { WebhookEvent } from './split-payload.ts';

/**
 * What is stored of an event that can't be routed: a webhook of its own that holds just this event, numbers as they were.
 *
 * @param parsed the body it came in.
 */
export function toKept(
  parsed: Extract<ParsedBody, { ok: true }>,
  event: WebhookEvent,
  about: { reason: string; appId: string; source: KnownSource | undefined },
): EventToKeep {
  const { reason, appId, source } = about;
  const sourceKey = event.phoneNumberId ?? event.wabaId;
  return {
    kind: 'whatsapp',
    reason,
    appId,
    ...(source && { merchantId: source.merchantId }),
    ...(sourceKey !== undefined && { sourceKey }),
    ...(event.field !== undefined && { field: event.field }),
    body: cutOut(parsed.value, event.place, parsed.exact ? undefined : parsed.text),
  };
}
