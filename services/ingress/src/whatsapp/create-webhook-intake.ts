import { hash } from 'node:crypto';
import type { CodedError } from '@switchyard/errors';
import type { JobMeta, Producer } from '@switchyard/jobs';
import { payloadMalformed, queueFull, signatureInvalid, sourceOfAnotherApp } from '../errors.ts';
import { addEvents } from '../intake/add-events.ts';
import type { MemoryGuard } from '../intake/create-memory-guard.ts';
import type { SeenEvents } from '../intake/create-seen-events.ts';
import { createStageClock } from '../intake/create-stage-clock.ts';
import type { EventToKeep, UnroutedEvents } from '../intake/create-unrouted-events.ts';
import type { IntakeMetrics } from '../intake/intake-metrics.ts';
import type { Directory, KnownSource } from '../merchants/create-directory.ts';
import { findSigner } from './find-signer.ts';
import { type ParsedBody, parseExact } from './parse-exact.ts';
import { type ResolvedEvent, resolveSources } from './resolve-sources.ts';
import { splitPayload, type WebhookEvent } from './split-payload.ts';
import { idOfEvent, isRoutable, type RoutableEvent, toJob } from './to-job.ts';
import { toKept } from './to-kept.ts';
import { readSignature } from './verify-signature.ts';

const KIND = 'whatsapp';
/** From a body's last byte to the answer: a hung Redis gives a 503 within 2 s, never a hang. */
const ANSWER_WITHIN_MS = 1700;
/** What is left for a store when the queue has used up its time. */
const LEAST_MS = 200;
const RETRY_AFTER_MS = 5000;

/** How the events of a webhook ended. */
export interface IntakeResult {
  accepted: number;
  duplicate: number;
  unrouted: number;
}

/** Takes WhatsApp webhooks in. */
export interface WebhookIntake {
  /**
   * Verifies, splits, queues. When this returns, every event of the payload is in a queue, was there before, or is kept as
   * unrouted.
   *
   * @param body the raw bytes.
   * @param signatureHeader `X-Hub-Signature-256`.
   * @throws CodedError SIGNATURE_INVALID (401), SOURCE_OF_ANOTHER_APP (403), PAYLOAD_MALFORMED (400); QUEUE_UNAVAILABLE,
   *   QUEUE_FULL, DATABASE_AWAY (503, `delayMs` says when to try again).
   */
  receive(body: Buffer, signatureHeader: unknown, meta: JobMeta): Promise<IntakeResult>;
  /** Takes a kept event in again, as signed by the app that signed it when it came. @throws as {@link receive} */
  replay(kept: { body: Buffer; appId: string }, meta: JobMeta): Promise<IntakeResult>;
}

/** What intake works with. */
export interface WebhookIntakeSettings {
  directory: Directory;
  seen: SeenEvents;
  producer: Pick<Producer, 'add'>;
  unrouted: Pick<UnroutedEvents, 'keep'>;
  memory: Pick<MemoryGuard, 'isFull'>;
  metrics: IntakeMetrics;
  /** Called before jobs are added, so that those of other webhooks can leave together with them. */
  gatherWrites: () => void;
}

/** One verified body. */
interface Delivery {
  readonly body: Buffer;
  readonly appId: string;
  readonly bodyKey: string;
  readonly meta: JobMeta;
  /** By `performance.now()`. */
  readonly startedAtMs: number;
}

type RoutedEvent = RoutableEvent & { readonly source: KnownSource };

/** Creates the intake of WhatsApp webhooks: the protocol "Ingress, per event", step by step. */
export function createWebhookIntake(settings: WebhookIntakeSettings): WebhookIntake {
  const { directory, seen, producer, unrouted, memory, metrics, gatherWrites } = settings;

  /** Counts what is refused as a whole. */
  function reject(reason: string, error: CodedError): CodedError {
    metrics.count('rejected', reason);
    return error;
  }

  async function take(delivery: Delivery): Promise<IntakeResult> {
    const clock = createStageClock(metrics);
    const leftMs = () => ANSWER_WITHIN_MS - (performance.now() - delivery.startedAtMs);
    const parsed = parseExact(delivery.body);
    const events = parsed.ok ? trySplit(parsed.value) : parsed.problem;
    clock('split');
    if (!parsed.ok || typeof events === 'string') {
      await unrouted.keep([toKeptWhole(delivery, events as string)], leftMs());
      throw reject(events as string, payloadMalformed(`the body is no WhatsApp webhook: ${events}`));
    }
    const resolved = await resolveSources(events, directory);
    clock('resolve');
    const { routed, toKeep, repeated } = sort(resolved, parsed, delivery);

    const ids = [...routed.keys()];
    const known = await seen.find(ids);
    clock('find');
    const fresh = known.size === 0 ? ids : ids.filter((id) => !known.has(id));
    const queued = await queue(fresh, routed, delivery, leftMs());
    clock('add');
    if (queued.length < fresh.length) {
      // The contract refuses it, so that no retry could help: keep it for a release that can read it.
      for (const id of fresh.filter((each) => !queued.includes(each))) {
        const event = routed.get(id)!;
        toKeep.push(toKept(parsed, event, { ...delivery, reason: 'contract-refused', source: event.source }));
      }
    }
    await seen.remember(queued);
    clock('remember');
    if (toKeep.length > 0) {
      await unrouted.keep(toKeep, Math.max(LEAST_MS, leftMs()));
      for (const { reason } of toKeep) metrics.count('unrouted', reason);
      clock('keep');
    }
    const duplicate = known.size + repeated;
    metrics.count('accepted', '', queued.length);
    metrics.count('duplicate', '', duplicate);
    return { accepted: queued.length, duplicate, unrouted: toKeep.length };
  }

  /** Splits a payload's events into those with a place to go to, by id, and those to keep. */
  function sort(resolved: readonly ResolvedEvent[], parsed: ParsedBody & { ok: true }, delivery: Delivery) {
    const { appId, bodyKey } = delivery;
    if (resolved.some(({ source }) => source !== undefined && source.appId !== appId)) {
      const message = 'the payload holds events of a number that belongs to another app';
      throw reject('another-app', sourceOfAnotherApp(message));
    }
    const routed = new Map<string, RoutedEvent>();
    const toKeep: EventToKeep[] = [];
    let repeated = 0;
    for (const { event, source } of resolved) {
      if (!isRoutable(event)) toKeep.push(toKept(parsed, event, { appId, source, reason: event.reason }));
      else if (!source) toKeep.push(toKept(parsed, event, { appId, source, reason: 'source-unknown' }));
      else if (source.status !== 'active')
        toKeep.push(toKept(parsed, event, { appId, source, reason: 'source-disabled' }));
      else {
        const id = idOfEvent(event, bodyKey);
        if (routed.has(id)) repeated += 1;
        else routed.set(id, { ...event, source });
      }
    }
    return { routed, toKeep, repeated };
  }

  /** Adds the jobs of new events. @returns the ids of those that are in their queue. */
  async function queue(
    fresh: readonly string[],
    routed: ReadonlyMap<string, RoutedEvent>,
    { meta }: Delivery,
    timeoutMs: number,
  ): Promise<readonly string[]> {
    if (fresh.length === 0) return fresh;
    if (memory.isFull()) {
      const message = 'the queue is nearly full; try again';
      throw reject('queue-full', queueFull(message, { delayMs: RETRY_AFTER_MS }));
    }
    const receivedAtMs = Date.now();
    const jobs = fresh.map((id) => {
      const event = routed.get(id)!;
      return toJob(event, id, { merchantId: event.source.merchantId, receivedAtMs, meta });
    });
    let refused: number[];
    gatherWrites();
    try {
      refused = await addEvents(producer, jobs, timeoutMs);
    } catch (error) {
      throw reject('queue-unavailable', error as CodedError);
    }
    const nowMs = Date.now();
    for (const id of fresh) {
      const { occurredAtMs } = routed.get(id)!;
      if (occurredAtMs !== undefined) metrics.lag(nowMs - occurredAtMs);
    }
    return refused.length === 0 ? fresh : fresh.filter((_id, index) => !refused.includes(index));
  }

  return {
    async receive(body, signatureHeader, meta) {
      const startedAtMs = performance.now();
      const signature = readSignature(signatureHeader);
      if (!signature) {
        const message = 'the header X-Hub-Signature-256 is missing or malformed';
        throw reject('signature-missing', signatureInvalid(message));
      }
      const clock = createStageClock(metrics);
      const app = await findSigner(body, signature, directory);
      clock('verify');
      if (!app) throw reject('signature-wrong', signatureInvalid('no app we know has signed this'));
      return take({ body, appId: app.id, bodyKey: signature.toString('base64url'), meta, startedAtMs });
    },
    replay({ body, appId }, meta) {
      const startedAtMs = performance.now();
      return take({ body, appId, bodyKey: hash('sha256', body, 'base64url'), meta, startedAtMs });
    },
  };
}

/** The events of a payload, or the reason why it is none. */
function trySplit(value: unknown): WebhookEvent[] | 'not-an-envelope' {
  try {
    return splitPayload(value);
  } catch {
    return 'not-an-envelope';
  }
}

function toKeptWhole({ body, appId }: Delivery, reason: string): EventToKeep {
  return { kind: KIND, reason, appId, body: reason === 'not-utf8' ? body : body.toString('utf8') };
}
