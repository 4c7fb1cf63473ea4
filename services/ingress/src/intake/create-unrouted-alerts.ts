import type { JobToAdd, Producer } from '@switchyard/jobs';
import type { UnroutedEvents } from './create-unrouted-events.ts';
import { eventId } from './event-id.ts';

/** One notification per kind and reason in so long a time, however many events there are. */
const WINDOW_MS = 15 * 60_000;

/** Tells the operators that events are kept that no one could route or read. */
export interface UnroutedAlerts {
  /** Looks at this window and the last, and tells what was not told yet. */
  run(): Promise<void>;
}

/**
 * Creates the alerts. They are made from what is kept, not from what a process remembers: a process that dies after keeping an event
 * leaves it to the next to tell. A notification's id is its window's, so that replicas and restarts tell it once; after a break of the
 * connection all are told again, since a queue that died may have forgotten them.
 */
export function createUnroutedAlerts(settings: {
  unrouted: Pick<UnroutedEvents, 'count'>;
  producer: Pick<Producer, 'add' | 'link'>;
}): UnroutedAlerts {
  const { unrouted, producer } = settings;
  let told = new Set<string>();
  let breaksWhenTold = 0;
  return {
    async run() {
      const breaks = producer.link.breaks();
      if (breaks !== breaksWhenTold) told = new Set();
      breaksWhenTold = breaks;
      const window = Math.floor(Date.now() / WINDOW_MS);
      const still = new Set<string>();
      for (const each of [window - 1, window]) {
        const groups = await unrouted.count(each * WINDOW_MS, (each + 1) * WINDOW_MS);
        for (const group of groups) {
          const job = toJob(group, each);
          const { notificationId } = job.payload;
          if (!told.has(notificationId)) await producer.add(job);
          still.add(notificationId);
        }
        // What was added stays told even if a later add fails.
        told = new Set([...told, ...still]);
      }
      told = still;
    },
  };
}

function toJob({ kind, reason, events }: { kind: string; reason: string; events: number }, window: number) {
  const since = new Date(window * WINDOW_MS).toISOString().slice(0, 16).replace('T', ' ');
  return {
    queue: 'notifications',
    name: 'send-notification',
    payload: {
      notificationId: eventId(kind, 'unrouted', reason, String(window)),
      key: `unrouted_${kind}_${reason}`.slice(0, 191),
      // A merchant who disables a source wants just this.
      severity: reason === 'source-disabled' ? 'info' : 'warning',
      title: `Events of ${kind} are kept unrouted: ${reason}`,
      body:
        `${events} since ${since} UTC, until now. Nothing is lost: look at /api/v1/unrouted-events?reason=${reason}, ` +
        'and once the cause is mended, replay them.',
      occurredAtMs: window * WINDOW_MS,
    },
  } satisfies JobToAdd;
}
