import type { ArchiveEntry } from '../archive/segment.ts';
import type { ParsedBody } from './parse-exact.ts';
import type { ResolvedEvent } from './resolve-sources.ts';
import { toKept } from './to-kept.ts';

/**
 * What is archived of a payload: the raw body where all of it is one merchant's; else each event as a webhook of its own, under its
 * merchant. What has no source, or a merchant without archive, is left out.
 */
export function toArchive(
  resolved: readonly ResolvedEvent[],
  parsed: ParsedBody & { ok: true },
  { body, appId }: { body: Buffer; appId: string },
): ArchiveEntry[] {
  const facts = { kind: 'whatsapp', appId, receivedAtMs: Date.now(), headers: {} } as const;
  const [first] = resolved;
  const merchantId = first?.source?.merchantId;
  const isOfOne =
    merchantId !== undefined && resolved.every(({ source }) => source?.merchantId === merchantId);
  if (isOfOne) return first?.source?.archiveOff === 1 ? [] : [{ ...facts, merchantId, body }];
  return resolved.flatMap(({ event, source }) => {
    if (!source || source.archiveOff === 1) return [];
    const { body: part } = toKept(parsed, event, { reason: '', appId, source });
    return [{ ...facts, merchantId: source.merchantId, body: Buffer.from(part) }];
  });
}
