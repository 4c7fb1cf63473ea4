import type { IncomingHttpHeaders } from 'node:http';
import type { JobMeta, JobToAdd } from '@switchyard/jobs';
import { signatureInvalid, sourceUnknown } from '../errors.ts';
import { DEDUPLICATION_TTL_MS } from '../intake/add-events.ts';
import type { EventIntake, IntakeResult } from '../intake/create-event-intake.ts';
import type { KeptWebhook } from '../intake/create-replay.ts';
import { createStageClock } from '../intake/create-stage-clock.ts';
import type { EventToKeep } from '../intake/create-unrouted-events.ts';
import { eventId } from '../intake/event-id.ts';
import type { Directory, KnownSource } from '../merchants/create-directory.ts';
import { type CustomEvent, readCustomEvent } from './read-custom-event.ts';
import type { SignatureSettings } from './signature-settings.ts';
import { verifyCustom } from './verify-custom.ts';

const KIND = 'custom';

/** Takes in what merchants' own systems send. */
export interface CustomIntake {
  /**
   * @param sourceKey from the path; can't be guessed.
   * @throws CodedError SOURCE_UNKNOWN (404), SIGNATURE_INVALID (401), PAYLOAD_MALFORMED (400); QUEUE_UNAVAILABLE, QUEUE_FULL,
   *   DATABASE_AWAY (503).
   */
  receive(
    sourceKey: string,
    request: { body: Buffer; headers: IncomingHttpHeaders },
    meta: JobMeta,
  ): Promise<IntakeResult>;
  /** Takes a kept event in again; its age no longer matters. @throws as {@link receive} */
  replay(kept: KeptWebhook, meta: JobMeta): Promise<IntakeResult>;
}

/** Creates the intake of merchants' own systems. */
export function createCustomIntake(settings: {
  directory: Pick<Directory, 'apps' | 'source'>;
  intake: EventIntake;
}): CustomIntake {
  const { directory, intake } = settings;
  const { metrics, reject } = intake;

  /** A source with the app that holds its secret and says how it signs. */
  async function find(sourceKey: string) {
    const source = await directory.source(KIND, sourceKey);
    const app = source && (await directory.apps(KIND)).find(({ id }) => id === source.appId);
    if (!source || !app?.signature)
      throw reject('source-unknown', sourceUnknown('there is no such source of events'));
    return { source, signature: app.signature, secrets: app.secrets };
  }

  async function take(
    { source, signature }: { source: KnownSource; signature: SignatureSettings },
    request: { body: Buffer; headers: IncomingHttpHeaders; isFromArchive?: boolean },
    meta: JobMeta,
    startedAtMs: number,
  ): Promise<IntakeResult> {
    const { merchantId, sourceKey, appId } = source;
    const event = readCustomEvent(signature, request);
    const keep = (reason: string): EventToKeep => ({
      kind: KIND,
      reason,
      appId,
      merchantId,
      sourceKey,
      ...(typeof event !== 'string' && { field: event.type }),
      headers: pickHeaders(signature, request.headers),
      body: typeof event === 'string' ? request.body : event.body,
    });
    if (typeof event === 'string') return intake.refuse(keep(event), startedAtMs);
    const archive = () =>
      source.archiveOff === 1
        ? []
        : [
            {
              merchantId,
              kind: KIND,
              appId,
              sourceKey,
              receivedAtMs: Date.now(),
              headers: pickHeaders(signature, request.headers),
              body: request.body,
            } as const,
          ];
    const { isFromArchive = false } = request;
    const nothing = { events: new Map(), repeated: 0, startedAtMs, archive, skipsSeen: isFromArchive };
    if (source.status !== 'active') return intake.take({ ...nothing, toKeep: [keep('source-disabled')] });
    const id = eventId(KIND, sourceKey, 'event', event.id);
    const queued = {
      jobs: (receivedAtMs: number) => [toCustomJob(event, { id, merchantId, sourceKey, receivedAtMs, meta })],
      occurredAtMs: event.occurredAtMs,
      toKept: keep,
    };
    return intake.take({ ...nothing, events: new Map([[id, queued]]), toKeep: [] });
  }

  return {
    async receive(sourceKey, request, meta) {
      const startedAtMs = performance.now();
      const clock = createStageClock(metrics);
      const found = await find(sourceKey);
      clock('resolve');
      const verdict = verifyCustom(found.signature, request, found.secrets, Date.now());
      clock('verify');
      if (verdict !== 'ok') throw reject(verdict, signatureInvalid(messages[verdict]));
      return take(found, request, meta, startedAtMs);
    },
    async replay({ sourceKey = '', ...kept }, meta) {
      return take(await find(sourceKey), kept, meta, performance.now());
    },
  };
}

const messages = {
  'signature-missing': 'the signature, or the id it covers, is missing or malformed',
  'signature-wrong': 'the signature is wrong',
  'timestamp-missing': 'the signed timestamp is missing or malformed',
  'timestamp-old': 'the signed timestamp is more than 5 minutes from now',
} as const;

/** The job that an event becomes. */
export function toCustomJob(
  event: CustomEvent,
  context: { id: string; merchantId: string; sourceKey: string; receivedAtMs: number; meta: JobMeta },
): JobToAdd {
  const { id, merchantId, sourceKey: source, receivedAtMs, meta } = context;
  const { type, body, occurredAtMs = receivedAtMs } = event;
  return {
    queue: 'inbound',
    name: 'receive-custom-event',
    payload: { merchantId, eventId: id, source, type, occurredAtMs, receivedAtMs, body },
    options: { jobId: id, deduplicationTtlMs: DEDUPLICATION_TTL_MS },
    meta: { ...meta, merchantId },
  };
}

/** The headers that reading the event again needs; never the signature. */
function pickHeaders(settings: SignatureSettings, headers: IncomingHttpHeaders): Record<string, string> {
  const names =
    settings.scheme === 'hmac'
      ? [settings.idHeader, settings.typeHeader]
      : ['webhook-id', 'webhook-timestamp'];
  const kept: Record<string, string> = {};
  for (const name of names) {
    const value = name === undefined ? undefined : headers[name.toLowerCase()];
    if (name !== undefined && typeof value === 'string') kept[name.toLowerCase()] = value;
  }
  return kept;
}
