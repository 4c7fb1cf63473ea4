import { hash } from 'node:crypto';
import type { JobMeta, JobToAdd, PersonIdentifier } from '@switchyard/jobs';
import { DEDUPLICATION_TTL_MS } from '../intake/add-events.ts';
import { parseExact } from '../whatsapp/parse-exact.ts';
import { asObject, type JsonObject, readIdText } from '../whatsapp/read-json.ts';

/** The topics that every app of Shopify must obey. They become no events. */
const topics = new Set(['customers/data_request', 'customers/redact', 'shop/redact']);

export function isCompliance(topic: string): boolean {
  return topics.has(topic);
}

/** What a compliance webhook asks for. */
export type Compliance =
  | { readonly kind: 'export' | 'erase-person'; readonly identifiers: readonly PersonIdentifier[] }
  | { readonly kind: 'erase-shop' };

/**
 * Reads a compliance webhook. Shopify does not sign its headers, so the shop that the signed body names must be the one of the header:
 * nobody can turn one shop's request on another.
 *
 * @returns why it can't be done, where it can't.
 */
export function readCompliance(
  topic: string,
  shopDomain: string,
  body: Buffer,
): Compliance | 'shop-mismatch' | 'no-identifiers' {
  const parsed = parseExact(body);
  const root = parsed.ok ? asObject(parsed.value) : undefined;
  if (String(root?.shop_domain).toLowerCase() !== shopDomain) return 'shop-mismatch';
  if (topic === 'shop/redact') return { kind: 'erase-shop' };
  const identifiers = identifiersOf(asObject(root?.customer) ?? {});
  if (identifiers.length === 0) return 'no-identifiers';
  return { kind: topic === 'customers/redact' ? 'erase-person' : 'export', identifiers };
}

function identifiersOf(customer: JsonObject): PersonIdentifier[] {
  const found = [
    { kind: 'shopify_customer_id', value: readIdText(customer.id) },
    { kind: 'email', value: readIdText(customer.email, 320) },
    { kind: 'phone', value: readIdText(customer.phone) },
  ];
  return found.flatMap(({ kind, value }) => (value === undefined ? [] : [{ kind, value }]));
}

/** The job of a compliance webhook; `control` forgets it once it is done, since it names the person. */
export function toComplianceJob(
  compliance: Compliance,
  context: { id: string; merchantId: string; shopDomain: string; receivedAtMs: number; meta: JobMeta },
): JobToAdd {
  const { id, merchantId, shopDomain, receivedAtMs: requestedAtMs } = context;
  const key = hash('sha256', id, 'hex').slice(0, 32);
  const meta = { ...context.meta, merchantId };
  const options = { jobId: id, deduplicationTtlMs: DEDUPLICATION_TTL_MS, removeOnComplete: true };
  if (compliance.kind === 'erase-shop') {
    const payload = { merchantId, erasureId: `era_${key}`, shopDomain, requestedAtMs };
    return { queue: 'control', name: 'erase-shop', payload, options, meta };
  }
  const identifiers = [...compliance.identifiers];
  if (compliance.kind === 'erase-person') {
    const payload = { merchantId, erasureId: `era_${key}`, identifiers, requestedAtMs };
    return { queue: 'control', name: 'erase-person', payload, options, meta };
  }
  const payload = { merchantId, requestId: `dre_${key}`, identifiers, requestedAtMs };
  return { queue: 'control', name: 'request-person-data', payload, options, meta };
}
