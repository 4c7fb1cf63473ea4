import { createHmac, hash } from 'node:crypto';
import type { JobMeta } from '@switchyard/jobs';
import { signatureInvalid, sourceOfAnotherApp } from '../errors.ts';
import type { EventIntake, EventToQueue, IntakeResult } from '../intake/create-event-intake.ts';
import { createStageClock } from '../intake/create-stage-clock.ts';
import type { EventToKeep } from '../intake/create-unrouted-events.ts';
import type { Directory } from '../merchants/create-directory.ts';
import type { FindSigner } from '../signatures/create-find-signer.ts';
import { type ParsedBody, parseExact } from './parse-exact.ts';
import { peekNumber } from './peek-number.ts';
import { readSignature } from './read-signature.ts';
import { type ResolvedEvent, resolveSources } from './resolve-sources.ts';
import { splitPayload, type WebhookEvent } from './split-payload.ts';
import { toArchive } from './to-archive.ts';
import { idOfEvent, isRoutable, toJob } from './to-job.ts';
import { toKept } from './to-kept.ts';

const KIND = 'whatsapp';

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
  replay(
    kept: { body: Buffer; appId: string; isFromArchive?: boolean },
    meta: JobMeta,
  ): Promise<IntakeResult>;
}

/** What intake works with. */
export interface WebhookIntakeSettings {
  directory: Directory;
  findSigner: FindSigner;
  intake: EventIntake;
}

/** One verified body. */
interface VerifiedBody {
  readonly body: Buffer;
  readonly appId: string;
  readonly bodyKey: string;
  readonly meta: JobMeta;
  readonly isFromArchive: boolean;
  /** By `performance.now()`. */
  readonly startedAtMs: number;
}

/** Creates the intake of WhatsApp webhooks. */
export function createWebhookIntake({ directory, findSigner, intake }: WebhookIntakeSettings): WebhookIntake {
  const { metrics, reject } = intake;

  async function take(verified: VerifiedBody): Promise<IntakeResult> {
    const clock = createStageClock(metrics);
    const { body, appId, startedAtMs } = verified;
    const parsed = parseExact(body);
    const events = parsed.ok ? trySplit(parsed.value) : parsed.problem;
    clock('split');
    if (!parsed.ok || typeof events === 'string') {
      const reason = events as string;
      const whole = reason === 'not-utf8' ? body : body.toString('utf8');
      return intake.refuse({ kind: KIND, reason, appId, body: whole }, startedAtMs);
    }
    const resolved = await resolveSources(events, directory);
    clock('resolve');
    return intake.take({
      ...sort(resolved, parsed, verified),
      startedAtMs,
      skipsSeen: verified.isFromArchive,
    });
  }

  /** Splits a payload's events into those with a place to go to, by id, and those to keep. */
  function sort(
    resolved: readonly ResolvedEvent[],
    parsed: ParsedBody & { ok: true },
    verified: VerifiedBody,
  ) {
    const { appId, bodyKey, meta } = verified;
    if (resolved.some(({ source }) => source !== undefined && source.appId !== appId)) {
      const message = 'the payload holds events of a number that belongs to another app';
      throw reject('another-app', sourceOfAnotherApp(message));
    }
    const events = new Map<string, EventToQueue>();
    const toKeep: EventToKeep[] = [];
    let repeated = 0;
    for (const { event, source } of resolved) {
      const keep = (reason: string) => toKept(parsed, event, { appId, source, reason });
      if (!isRoutable(event)) toKeep.push(keep(event.reason));
      else if (!source) toKeep.push(keep('source-unknown'));
      else if (source.status !== 'active') toKeep.push(keep('source-disabled'));
      else {
        const id = idOfEvent(event, bodyKey);
        const { merchantId } = source;
        if (events.has(id)) repeated += 1;
        else
          events.set(id, {
            jobs: (receivedAtMs) => [toJob(event, id, { merchantId, receivedAtMs, meta })],
            occurredAtMs: event.occurredAtMs,
            toKept: keep,
          });
      }
    }
    const archive = () => toArchive(resolved, parsed, verified);
    return { events, toKeep, repeated, archive };
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
      const apps = await directory.apps(KIND);
      const number = apps.length > 1 ? peekNumber(body) : undefined;
      const hint = number === undefined ? undefined : await directory.guessApp(KIND, number);
      const app = await findSigner(body, signature, apps, hint);
      clock('verify');
      if (!app) throw reject('signature-wrong', signatureInvalid('no app we know has signed this'));
      const bodyKey = signature.toString('base64url');
      return take({ body, appId: app.id, bodyKey, meta, startedAtMs, isFromArchive: false });
    },
    async replay({ body, appId, isFromArchive = false }, meta) {
      const startedAtMs = performance.now();
      const app = (await directory.apps(KIND)).find(({ id }) => id === appId);
      // What the signature was, so that statuses get the ids they had.
      const bodyKey = app
        ? createHmac('sha256', app.secrets[0]!).update(body).digest('base64url')
        : hash('sha256', body, 'base64url');
      return take({ body, appId, bodyKey, meta, startedAtMs, isFromArchive });
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
