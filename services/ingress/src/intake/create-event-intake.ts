import type { CodedError } from '@switchyard/errors';
import type { JobToAdd, Producer } from '@switchyard/jobs';
import type { ArchiveWriter } from '../archive/create-archive-writer.ts';
import type { ArchiveEntry } from '../archive/segment.ts';
import { payloadMalformed, queueFull } from '../errors.ts';
import { addEvents } from './add-events.ts';
import type { AddDurably } from './create-durable-add.ts';
import type { MemoryGuard } from './create-memory-guard.ts';
import type { SeenEvents } from './create-seen-events.ts';
import { createStageClock } from './create-stage-clock.ts';
import type { EventToKeep, UnroutedEvents } from './create-unrouted-events.ts';
import type { IntakeMetrics } from './intake-metrics.ts';

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

/** An event with a place to go to. */
export interface EventToQueue {
  /** Its jobs; mostly one. Their ids must follow from the event's. */
  jobs(receivedAtMs: number): readonly JobToAdd[];
  /** The provider's time of it. */
  readonly occurredAtMs: number | undefined;
  /** What is kept of it where the contract refuses its job. */
  toKept(reason: string): EventToKeep;
}

/** What a verified webhook came to. */
export interface Delivery {
  /** By event id. */
  readonly events: ReadonlyMap<string, EventToQueue>;
  readonly toKeep: EventToKeep[];
  /** Repeats within the webhook itself. */
  readonly repeated: number;
  /** When its body had arrived, by `performance.now()`. */
  readonly startedAtMs: number;
  /** What to archive of it. */
  archive(): readonly ArchiveEntry[];
  /** How its jobs are added where the queue alone is not safe enough for them. */
  readonly addDurably?: AddDurably;
  /** Only the queue and its consumer decide what is a repeat, and nothing is archived: of what comes from the archive, and of alerts. */
  readonly skipsSeen: boolean;
}

/** The protocol "Ingress, per event", for every kind of source. */
export interface EventIntake {
  readonly metrics: IntakeMetrics;
  /**
   * Queues what is new and keeps what has no place to go to. When this returns, every event is in its queue, was there before, or is
   * kept.
   *
   * @throws CodedError QUEUE_UNAVAILABLE, QUEUE_FULL, DATABASE_AWAY (503, `delayMs` says when to try again).
   */
  take(delivery: Delivery): Promise<IntakeResult>;
  /**
   * Keeps a verified body that can't be read, and refuses it.
   *
   * @throws CodedError PAYLOAD_MALFORMED, once it is kept; DATABASE_AWAY
   */
  refuse(event: EventToKeep, startedAtMs: number): Promise<never>;
  /** Counts what is refused as a whole. @returns the error, to be thrown. */
  reject(reason: string, error: CodedError): CodedError;
}

/** What intake works with. */
export interface EventIntakeSettings {
  seen: SeenEvents;
  producer: Pick<Producer, 'add'>;
  unrouted: Pick<UnroutedEvents, 'keep'>;
  memory: Pick<MemoryGuard, 'isFull'>;
  /** Undefined where nothing is archived. */
  archive: ArchiveWriter | undefined;
  metrics: IntakeMetrics;
  /** Called before jobs are added, so that those of other webhooks can leave together with them. */
  gatherWrites: () => void;
}

/** Creates the intake of one kind of source. */
export function createEventIntake(settings: EventIntakeSettings): EventIntake {
  const { seen, producer, unrouted, memory, archive, metrics, gatherWrites } = settings;

  const leftMs = ({ startedAtMs }: Pick<Delivery, 'startedAtMs'>) =>
    ANSWER_WITHIN_MS - (performance.now() - startedAtMs);

  function reject(reason: string, error: CodedError): CodedError {
    metrics.count('rejected', reason);
    return error;
  }

  /** Adds the jobs of new events. @returns the ids of those that the contract refuses. */
  async function queue(fresh: readonly string[], delivery: Delivery): Promise<ReadonlySet<string>> {
    const refused = new Set<string>();
    if (fresh.length === 0) return refused;
    if (memory.isFull()) {
      const message = 'the queue is nearly full; try again';
      throw reject('queue-full', queueFull(message, { delayMs: RETRY_AFTER_MS }));
    }
    const receivedAtMs = Date.now();
    const jobs: JobToAdd[] = [];
    const idOfJob: string[] = [];
    for (const id of fresh)
      for (const job of delivery.events.get(id)!.jobs(receivedAtMs)) {
        jobs.push(job);
        idOfJob.push(id);
      }
    gatherWrites();
    try {
      const { addDurably } = delivery;
      const indexes = addDurably
        ? await addDurably(jobs, leftMs(delivery))
        : await addEvents(producer, jobs, leftMs(delivery));
      for (const index of indexes) refused.add(idOfJob[index]!);
    } catch (error) {
      throw reject(delivery.addDurably ? 'database-away' : 'queue-unavailable', error as CodedError);
    }
    const nowMs = Date.now();
    for (const id of fresh) {
      const { occurredAtMs } = delivery.events.get(id)!;
      if (occurredAtMs !== undefined) metrics.lag(nowMs - occurredAtMs);
    }
    return refused;
  }

  /** Archives a delivery that holds something new. @returns in strict mode, what must be waited for before it is acknowledged. */
  function store(fresh: readonly string[], delivery: Delivery): Promise<void> | undefined {
    if (!archive || delivery.skipsSeen || fresh.length === 0) return undefined;
    if (!archive.isStrict) {
      archive.add(delivery.archive());
      return undefined;
    }
    const stored = archive.write(delivery.archive(), leftMs(delivery)).catch((error: CodedError) => {
      throw reject('archive-unavailable', error);
    });
    // When the queue fails first, nobody waits for this any more.
    stored.catch(() => undefined);
    return stored;
  }

  return {
    metrics,
    reject,
    async take(delivery) {
      const clock = createStageClock(metrics);
      const { events, repeated } = delivery;
      const toKeep = [...delivery.toKeep];
      const ids = [...events.keys()];
      const known = delivery.skipsSeen ? new Set<string>() : await seen.find(ids);
      clock('find');
      const fresh = known.size === 0 ? ids : ids.filter((id) => !known.has(id));
      const archived = store(fresh, delivery);
      const refused = await queue(fresh, delivery);
      clock('add');
      if (archived) {
        await archived;
        clock('archive');
      }
      // No retry could help what the contract refuses: keep it for a release that can read it.
      for (const id of refused) toKeep.push(events.get(id)!.toKept('contract-refused'));
      const queued = refused.size === 0 ? fresh : fresh.filter((id) => !refused.has(id));
      await seen.remember(queued);
      clock('remember');
      if (toKeep.length > 0) {
        await unrouted.keep(toKeep, Math.max(LEAST_MS, leftMs(delivery)));
        for (const { reason } of toKeep) metrics.count('unrouted', reason);
        clock('keep');
      }
      const duplicate = known.size + repeated;
      metrics.count('accepted', '', queued.length);
      metrics.count('duplicate', '', duplicate);
      return { accepted: queued.length, duplicate, unrouted: toKeep.length };
    },
    async refuse(event, startedAtMs) {
      await unrouted.keep([event], Math.max(LEAST_MS, leftMs({ startedAtMs })));
      throw reject(event.reason, payloadMalformed(`the body is no webhook of this kind: ${event.reason}`));
    },
  };
}
