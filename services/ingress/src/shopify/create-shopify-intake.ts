import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import type { JobMeta } from '@switchyard/jobs';
import { signatureInvalid, sourceOfAnotherApp } from '../errors.ts';
import type { AddDurably } from '../intake/create-durable-add.ts';
import type { EventIntake, IntakeResult } from '../intake/create-event-intake.ts';
import { createStageClock } from '../intake/create-stage-clock.ts';
import type { EventToKeep } from '../intake/create-unrouted-events.ts';
import type { Directory } from '../merchants/create-directory.ts';
import { isCompliance, readCompliance, toComplianceJob } from '../privacy/read-compliance.ts';
import type { FindSigner } from '../signatures/create-find-signer.ts';
import { readShopDomain, readShopifyHeaders, readShopifySignature } from './read-shopify-headers.ts';
import { idOfDelivery, toShopifyJobs } from './to-shopify-jobs.ts';

const KIND = 'shopify';

/** Takes Shopify's webhooks in. */
export interface ShopifyIntake {
  /**
   * Verifies and queues one webhook of any topic.
   *
   * @param body the raw bytes.
   * @throws CodedError SIGNATURE_INVALID (401), SOURCE_OF_ANOTHER_APP (403), PAYLOAD_MALFORMED (400); QUEUE_UNAVAILABLE,
   *   QUEUE_FULL, DATABASE_AWAY (503).
   */
  receive(body: Buffer, headers: IncomingHttpHeaders, meta: JobMeta): Promise<IntakeResult>;
  /** Takes a kept webhook in again, as signed by the app that signed it when it came. @throws as {@link receive} */
  replay(
    kept: { body: Buffer; appId: string; headers: IncomingHttpHeaders; isFromArchive?: boolean },
    meta: JobMeta,
  ): Promise<IntakeResult>;
}

/** Creates the intake of Shopify's webhooks. */
export function createShopifyIntake(settings: {
  directory: Pick<Directory, 'apps' | 'guessApp' | 'source'>;
  findSigner: FindSigner;
  intake: EventIntake;
  addDurably: AddDurably;
}): ShopifyIntake {
  const { directory, findSigner, intake, addDurably } = settings;
  const { metrics, reject } = intake;

  async function take(
    kept: { body: Buffer; appId: string; headers: IncomingHttpHeaders; isFromArchive?: boolean },
    meta: JobMeta,
    startedAtMs: number,
  ): Promise<IntakeResult> {
    const { body, appId, headers, isFromArchive = false } = kept;
    const about = readShopifyHeaders(headers);
    const isText = isUtf8(body);
    const text = body.toString('utf8');
    const keep = (reason: string, merchantId?: string): EventToKeep => ({
      kind: KIND,
      reason,
      appId,
      ...(merchantId !== undefined && { merchantId }),
      ...(about && { sourceKey: about.shopDomain, field: about.topic }),
      headers: pickHeaders(headers),
      body: isText ? text : body,
    });
    if (!about) return intake.refuse(keep('headers-malformed'), startedAtMs);
    if (!isText) return intake.refuse(keep('not-utf8'), startedAtMs);
    if (!isJson(text)) return intake.refuse(keep('not-json'), startedAtMs);

    const clock = createStageClock(metrics);
    const source = await directory.source(KIND, about.shopDomain);
    clock('resolve');
    if (source && source.appId !== appId)
      throw reject('another-app', sourceOfAnotherApp('the shop belongs to another app'));
    const archive = () =>
      source && source.archiveOff !== 1
        ? [
            {
              merchantId: source.merchantId,
              kind: KIND,
              appId,
              sourceKey: source.sourceKey,
              receivedAtMs: Date.now(),
              headers: pickHeaders(headers),
              body,
            } as const,
          ]
        : [];
    const nothing = { events: new Map(), repeated: 0, startedAtMs, archive, skipsSeen: isFromArchive };
    if (!source) return intake.take({ ...nothing, toKeep: [keep('source-unknown')] });
    const { merchantId } = source;
    const id = idOfDelivery(about);
    if (isCompliance(about.topic)) {
      // The law holds for a shop that has left too; and what names a person to be erased is not archived first: it goes through
      // the outbox, since Redis may forget it and Shopify says it once.
      const { shopDomain } = about;
      const compliance = readCompliance(about.topic, shopDomain, body);
      if (typeof compliance === 'string')
        return intake.take({ ...nothing, toKeep: [keep(compliance, merchantId)] });
      const asked = {
        jobs: (receivedAtMs: number) => [
          toComplianceJob(compliance, { id, merchantId, shopDomain, receivedAtMs, meta }),
        ],
        occurredAtMs: about.triggeredAtMs,
        toKept: (reason: string) => keep(reason, merchantId),
      };
      const rest = { archive: () => [], toKeep: [], addDurably };
      return intake.take({ ...nothing, ...rest, events: new Map([[id, asked]]) });
    }
    if (source.status !== 'active')
      return intake.take({ ...nothing, toKeep: [keep('source-disabled', merchantId)] });
    const event = {
      jobs: (receivedAtMs: number) => toShopifyJobs(about, text, { id, merchantId, receivedAtMs, meta }),
      occurredAtMs: about.triggeredAtMs,
      toKept: (reason: string) => keep(reason, merchantId),
    };
    return intake.take({ ...nothing, events: new Map([[id, event]]), toKeep: [] });
  }

  return {
    async receive(body, headers, meta) {
      const startedAtMs = performance.now();
      const signature = readShopifySignature(headers);
      if (!signature) {
        const message = 'the header X-Shopify-Hmac-Sha256 is missing or malformed';
        throw reject('signature-missing', signatureInvalid(message));
      }
      const clock = createStageClock(metrics);
      const domain = readShopDomain(headers);
      const hint = domain === undefined ? undefined : await directory.guessApp(KIND, domain);
      const app = await findSigner(body, signature, await directory.apps(KIND), hint);
      clock('verify');
      if (!app) throw reject('signature-wrong', signatureInvalid('no app we know has signed this'));
      return take({ body, appId: app.id, headers }, meta, startedAtMs);
    },
    replay: (kept, meta) => take(kept, meta, performance.now()),
  };
}

/** What is kept of the headers: the provider's own, without the signature. */
function pickHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (/^(x-)?shopify-/.test(name) && !name.endsWith('hmac-sha256') && typeof value === 'string')
      kept[name] = value;
  return kept;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
