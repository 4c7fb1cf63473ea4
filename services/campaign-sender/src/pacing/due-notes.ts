import type { Logger } from 'pino';
import type { ReadySet } from './ready-set.ts';

/** Tells the ready set of messages that went back to SQL; those of one moment in one round trip. */
export interface DueNotes {
  /** Never throws, never waits: what gets lost is recalled from SQL within seconds. */
  add(senderId: string | null, atMs: number): void;
}

/** Makes the notes of a process. */
export function createDueNotes(ready: Pick<ReadySet, 'note'>, logger: Logger): DueNotes {
  let due = new Map<string, number>();

  async function flush(): Promise<void> {
    const noted = due;
    due = new Map();
    try {
      await ready.note(noted);
    } catch (error) {
      logger.debug({ err: error, numbers: noted.size }, 'due messages not noted; they will be recalled');
    }
  }

  return {
    add(senderId, atMs) {
      if (senderId === null) return;
      if (due.size === 0) setImmediate(() => void flush());
      due.set(senderId, Math.min(due.get(senderId) ?? Number.POSITIVE_INFINITY, atMs));
    },
  };
}
