import { isCodedError } from '@switchyard/errors';
import type { FileStore } from '@switchyard/files';
import type { Selectable } from 'kysely';
import type { Logger } from 'pino';
import type { InboundMediaTable } from '../database/people-tables.ts';
import type { Store } from '../database/scope.ts';
import type { SenderDirectory } from '../senders/sender-directory.ts';
import { download } from './download.ts';
import { type GraphMedia, MediaError } from './graph-media.ts';
import { claimMedia, type FetchEnd, findDueMedia, releaseOverdue, settleMedia } from './media-store.ts';

type MediaRow = Selectable<InboundMediaTable>;

/** What the fetcher needs. */
export interface FetcherParts {
  store: Store;
  senders: Pick<SenderDirectory, 'byId'>;
  graph: GraphMedia;
  files: FileStore;
  logger: Logger;
  /** Files fetched at a time by this process. */
  concurrency: number;
  /** Longest time for one file. */
  timeoutMs: number;
}

/** Fetches the files of inbound messages, beside the queues: a large file holds up no message. */
export interface MediaFetcher {
  /** Says that there are new files: they are fetched at once where there is room, else when their turn comes. */
  wake(ids: readonly string[]): void;
  /** Looks for files that are due, whoever left them, and lets events go that have waited long enough. */
  sweep(): Promise<void>;
  /** Breaks off what is under way; another process, or the next start, goes on with it. */
  close(): Promise<void>;
}

/** The provider keeps a file so long. */
const PROVIDER_KEEPS_MS = 7 * 24 * 60 * 60 * 1000;
const CORRUPT_TRIES = 3;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60 * 60_000;
const WAITING_MOST = 1000;
const CONTACTS_AT_ONCE = 200;

/** Makes the fetcher. What is to be fetched is in SQL; what is in memory only saves looking. */
export function createMediaFetcher(parts: FetcherParts): MediaFetcher {
  const { store, senders, logger, concurrency, timeoutMs } = parts;
  const stopping = new AbortController();
  const running = new Map<string, Promise<void>>();
  const waiting = new Set<string>();
  // Longer than fetching may take, so that nobody takes over from a process that is alive.
  const claimMs = timeoutMs + 30_000;

  async function fetchOne(id: string): Promise<void> {
    const media = await claimMedia(store, id, claimMs);
    if (!media) return;
    const sender = await senders.byId(media.senderId);
    const end = await attempt(media, sender?.accessToken);
    const isSettled = await settleMedia(store, media, end);
    // Erased while it was on its way: nobody else knows of the file.
    if (!isSettled && end.kind === 'stored') await parts.files.delete(end.path);
    if (end.kind !== 'stored')
      logger.warn({ mediaId: id, code: end.code, kind: end.kind, attempts: media.attempts }, end.reason);
  }

  async function attempt(media: MediaRow, accessToken: string | undefined): Promise<FetchEnd> {
    if (accessToken === undefined)
      return retryOrFail(media, 'SENDER_TOKEN_MISSING', 'nobody gave the number a token');
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      return { kind: 'stored', ...(await download(parts, media, accessToken, signal)) };
    } catch (error) {
      if (stopping.signal.aborted)
        return { kind: 'retry', code: 'INTERRUPTED', reason: 'the process is stopping', atMs: store.now() };
      if (error instanceof MediaError) {
        const isFinal =
          error.kind !== 'later' || (error.code === 'MEDIA_CORRUPT' && media.attempts >= CORRUPT_TRIES);
        if (isFinal) return { kind: 'failed', code: error.code, reason: error.message };
        return retryOrFail(media, error.code, error.message);
      }
      logger.error({ mediaId: media.id, err: error }, 'a file could not be stored');
      return retryOrFail(
        media,
        isCodedError(error) ? error.code : 'MEDIA_NOT_STORED',
        'it could not be stored',
      );
    }
  }

  /** Until the provider has forgotten the file. */
  function retryOrFail(media: MediaRow, code: string, reason: string): FetchEnd {
    const nowMs = store.now();
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(20, media.attempts - 1));
    const atMs = nowMs + pauseMs;
    return atMs > media.createdAtMs + PROVIDER_KEEPS_MS
      ? { kind: 'failed', code, reason: `${reason}; the provider keeps a file for 7 days` }
      : { kind: 'retry', code, reason, atMs };
  }

  function startMore(): void {
    for (const id of waiting) {
      if (stopping.signal.aborted || running.size >= concurrency) return;
      waiting.delete(id);
      if (running.has(id)) continue;
      running.set(
        id,
        fetchOne(id)
          .catch((error: unknown) => logger.error({ mediaId: id, err: error }, 'fetching a file failed'))
          .finally(() => {
            running.delete(id);
            startMore();
          }),
      );
    }
  }

  return {
    wake(ids) {
      for (const id of ids) if (waiting.size < WAITING_MOST) waiting.add(id);
      startMore();
    },
    async sweep() {
      const room = concurrency - running.size;
      if (room > 0 && waiting.size === 0) {
        for (const id of await findDueMedia(store, room)) waiting.add(id);
        startMore();
      }
      while ((await releaseOverdue(store, CONTACTS_AT_ONCE)) === CONTACTS_AT_ONCE);
    },
    async close() {
      stopping.abort();
      await Promise.all(running.values());
    },
  };
}
