import { databaseAway } from '@switchyard/database';
import type { Metrics } from '@switchyard/service-kit';
import type { Logger } from 'pino';
import { withinDeadline } from '../intake/within-deadline.ts';
import type { ArchiveStore } from './create-archive-store.ts';
import type { ArchiveEntry } from './segment.ts';

/** Writes verified webhooks to the archive, many at a time. */
export interface ArchiveWriter {
  /** Whether entries must be stored before their webhook is answered (`INGRESS_STRICT`). */
  readonly isStrict: boolean;
  /** Takes entries to be stored within about a second. Never waits; beyond the buffer's limit they are dropped and counted. */
  add(entries: readonly ArchiveEntry[]): void;
  /**
   * Stores entries, together with those of other webhooks that come meanwhile.
   *
   * @throws CodedError DATABASE_AWAY when they are not stored in time.
   */
  write(entries: readonly ArchiveEntry[], timeoutMs: number): Promise<void>;
  /**
   * Waits until what was taken by now is stored (or was dropped).
   *
   * @throws CodedError DATABASE_AWAY when it is not in time; it still waits then.
   */
  settle(timeoutMs: number): Promise<void>;
  /** Stores what waits; for the end of the process. */
  close(): Promise<void>;
}

interface Pending {
  readonly entries: readonly ArchiveEntry[];
  readonly bytes: number;
  readonly done?: PromiseWithResolvers<void>;
}

const FLUSH_MS = 1000;
/** What waits beyond it is written at once, and one write takes about so much: packing more in one go would hold webhooks up. */
const FLUSH_BYTES = 256 * 1024;
/** While the database is away, so much is held for it. */
const BUFFER_BYTES = 32 * 1024 * 1024;

/** Creates the writer. One write is under way at a time; what comes meanwhile is the next. */
export function createArchiveWriter(settings: {
  store: Pick<ArchiveStore, 'insert'>;
  isStrict: boolean;
  metrics: Metrics;
  logger: Logger;
}): ArchiveWriter {
  const { store, isStrict, metrics, logger } = settings;
  const counter = metrics.counter(
    'ingress_archive_entries_total',
    'Webhooks for the archive, by what became of them.',
    ['outcome'],
  );
  let pending: Pending[] = [];
  let waitingBytes = 0;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  metrics.gauge('ingress_archive_buffer_bytes', 'Bytes that wait to be archived.', [], (set) =>
    set({}, waitingBytes),
  );

  function push(entries: readonly ArchiveEntry[], done?: PromiseWithResolvers<void>): void {
    const bytes = entries.reduce((sum, { body }) => sum + body.length, 0);
    if (waitingBytes > 0 && waitingBytes + bytes > BUFFER_BYTES) {
      counter.add({ outcome: 'dropped' }, entries.length);
      done?.reject(new Error('too much waits to be archived'));
      return;
    }
    pending.push({ entries, bytes, ...(done && { done }) });
    waitingBytes += bytes;
  }

  /** Takes the next round off the buffer. */
  function nextRound(): Pending[] {
    let bytes = 0;
    let count = 0;
    while (count < pending.length && bytes < FLUSH_BYTES) bytes += pending[count++]!.bytes;
    return pending.splice(0, count);
  }

  async function writeRound(round: readonly Pending[]): Promise<boolean> {
    try {
      await store.insert(round.flatMap(({ entries }) => entries));
      for (const { bytes, entries, done } of round) {
        waitingBytes -= bytes;
        counter.add({ outcome: 'stored' }, entries.length);
        done?.resolve();
      }
      return true;
    } catch (error) {
      logger.warn({ err: error }, 'the archive could not be written');
      for (const { bytes, done } of round)
        if (done) {
          waitingBytes -= bytes;
          done.reject(error);
        }
      // What nobody waits for is tried again.
      pending = [...round.filter(({ done }) => !done), ...pending];
      return false;
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    running ??= (async () => {
      while (pending.length > 0) if (!(await writeRound(nextRound()))) break;
    })().finally(() => {
      running = undefined;
      // In strict mode what waits is waited for, and fails with its round; else a database that is away is left alone for a while.
      if (isStrict && pending.length > 0) void flush();
      else if (pending.length > 0) later(FLUSH_MS);
    });
    return running;
  }

  function later(ms: number): void {
    timer ??= setTimeout(() => void flush(), ms).unref();
  }

  async function stored(entries: readonly ArchiveEntry[], timeoutMs: number): Promise<void> {
    const done = Promise.withResolvers<void>();
    // The failure of a write that all have given up on must not end the process.
    done.promise.catch(() => undefined);
    push(entries, done);
    // Those of this turn of the event loop come along.
    setImmediate(() => void flush());
    try {
      await withinDeadline(done.promise, timeoutMs, () => new Error('not archived in time'));
    } catch (cause) {
      throw databaseAway("the event can't be archived now; try again", { cause, delayMs: 5000 });
    }
  }

  return {
    isStrict,
    add(entries) {
      if (entries.length === 0) return;
      push(entries);
      if (waitingBytes >= FLUSH_BYTES && !running) void flush();
      else later(FLUSH_MS);
    },
    async write(entries, timeoutMs) {
      if (entries.length > 0) await stored(entries, timeoutMs);
    },
    // Entries are stored in their order, so that one more, of nothing, is stored after all of them.
    settle: (timeoutMs) => stored([], timeoutMs),
    async close() {
      await running;
      await flush();
      clearTimeout(timer);
      if (pending.length > 0) {
        const lost = pending.reduce((sum, { entries }) => sum + entries.length, 0);
        counter.add({ outcome: 'dropped' }, lost);
        logger.error({ entries: lost }, 'webhooks were not archived: the database is away');
      }
    },
  };
}
