import type { RedisClient } from '@switchyard/redis';
import type { Metrics } from '@switchyard/service-kit';
import type { Logger } from 'pino';
import type { ArchiveWriter } from '../archive/create-archive-writer.ts';
import { REPLAY_WITHIN_MS } from '../archive/create-replays.ts';
import { withinDeadline } from '../intake/within-deadline.ts';
import type { Recoveries } from './create-recoveries.ts';
import { beatQueue, type QueueLook, rememberedUntil } from './queue-beats.ts';

/**
 * An event is archived under the time it came, and added within 2 s; the clocks of replicas may differ by as much.
 */
const MARGIN_MS = 4000;
/** Of a Redis that is empty nobody knows what waited in it; going further back is for an operator to decide. */
const EMPTIED_MS = 3_600_000;
const LOOK_WITHIN_MS = 1000;
const SETTLE_WITHIN_MS = 10_000;
const WARN_EVERY_MS = 60_000;

/** Notices when the queue's Redis may have forgotten what it acknowledged, and has that taken in again from the archive. */
export interface QueueWatch {
  /** Looks; never throws. What could not be done is done by the next look. */
  look(): Promise<void>;
}

/**
 * Creates the watch. It leaves a time in the queue's Redis at every look; when another run of Redis is there (started anew, failed over,
 * restored, replaced), the time that this one remembers says from when on it may have forgotten. Connections that just broke are none
 * of its business, and webhooks pay nothing for it.
 *
 * The run that it knows moves on only in the transaction that records the replay: a process that dies before has done nothing, and the
 * next one, or the next look, does it all again.
 */
export function createQueueWatch(settings: {
  client: RedisClient;
  /** In the cluster slot of the queues: only of what that node keeps does the time say anything. */
  key: string;
  archive: Pick<ArchiveWriter, 'settle'>;
  recoveries: Recoveries;
  metrics: Metrics;
  logger: Logger;
}): QueueWatch {
  const { client, key, archive, recoveries, metrics, logger } = settings;
  const counter = metrics.counter(
    'ingress_archive_recoveries_total',
    'Changes of the queue Redis after which a replay from the archive was recorded.',
    [],
  );
  let known: string | undefined;
  let warnedAtMs = Number.NEGATIVE_INFINITY;

  const ask = () =>
    withinDeadline(
      beatQueue(client, key, known, Date.now()),
      LOOK_WITHIN_MS,
      () => new Error('the queue Redis did not answer in time'),
    );

  async function recover(look: QueueLook, from: string): Promise<void> {
    const nowMs = Date.now();
    const untilMs = rememberedUntil(look, from);
    const fromMs = Math.max(
      untilMs === undefined ? nowMs - EMPTIED_MS : Math.min(untilMs, nowMs) - MARGIN_MS,
      nowMs - REPLAY_WITHIN_MS,
    );
    // What this process still holds is part of it.
    await archive.settle(SETTLE_WITHIN_MS);
    const { id: replayId } = await recoveries.recover({ run: look.run, fromMs, toMs: nowMs });
    counter.add({}, 1);
    const facts = { replayId, fromMs, toMs: nowMs };
    if (untilMs === undefined)
      logger.warn(
        facts,
        '⚠️  Redis (queue) is empty: the last hour is taken in again from the archive; what waited longer needs POST /api/v1/archive/replays',
      );
    else
      logger.warn(
        facts,
        '⚠️  Redis (queue) was started anew or replaced: what it may have forgotten is taken in again from the archive',
      );
  }

  return {
    async look() {
      if (client.status !== 'ready') return;
      try {
        let look = await ask();
        if (look.run === known) return;
        if (known === undefined) {
          known = await recoveries.known(look.run);
          look = await ask();
        }
        if (look.run === known) return;
        await recover(look, known);
        known = look.run;
        warnedAtMs = Number.NEGATIVE_INFINITY;
      } catch (error) {
        if (performance.now() - warnedAtMs < WARN_EVERY_MS) return;
        warnedAtMs = performance.now();
        logger.warn({ err: error }, 'whether the queue Redis has forgotten anything is not known now');
      }
    },
  };
}
