import type { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';

/** Keeps the write-ahead log of a busy SQLite file short. */
export interface Checkpointer {
  /** Told of every commit, right after it. */
  committed(): void;
  /** Ends the thread. Call it before the database is closed. */
  close(): Promise<void>;
}

/** How often a busy file's log is copied, and with it made safe from a power cut. */
const everyMs = 200;
/** So many commits in that time make a file busy. */
const busyCommits = 20;
/** A log of so many pages starts over as soon as it is copied whole. */
const restartPages = 4000;
/** SQLite's own limit, at which a commit copies the log itself, and what it is raised to while the thread does. */
const ownLimitPages = 1000;
const raisedLimitPages = 20_000;

/**
 * Makes the checkpointer of a file. While it is quiet, SQLite does by itself what is to be done: every thousandth page it copies the log
 * and waits for the disk, in the middle of some commit. In a busy process that is a good part of all the time there is, so a thread does
 * it there. The log is synced no less often than before.
 *
 * @param database its connection, which writes. @param path its file.
 */
export function createCheckpointer(database: DatabaseSync, path: string, logger: Logger): Checkpointer {
  let timer: NodeJS.Timeout | undefined;
  let thread: Worker | undefined;
  let exited: Promise<void> | undefined;
  let isOver = false;
  let commits = 0;
  let isCopying = false;
  let shallRestart = false;

  function start(): Worker {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const started = new Worker(new URL(`./checkpoint-thread.${extension}`, import.meta.url), {
      workerData: { path },
      execArgv: [],
    });
    started.on('message', (pages: number) => {
      isCopying = false;
      shallRestart = pages >= restartPages;
    });
    started.on('error', (error) => {
      isOver = true;
      logger.warn({ err: error }, 'the thread that copies the log of the database has ended; commits do it');
    });
    exited = new Promise((resolve) => {
      started.once('exit', () => {
        thread = undefined;
        if (database.isOpen) database.exec(`pragma wal_autocheckpoint = ${ownLimitPages}`);
        resolve();
      });
    });
    // A process that has nothing else to do may end: the log is read when the file is opened next.
    started.unref();
    database.exec(`pragma wal_autocheckpoint = ${raisedLimitPages}`);
    return started;
  }

  function look(): void {
    timer = undefined;
    const isBusy = commits >= busyCommits;
    commits = 0;
    if (isOver || isCopying || (!thread && !isBusy)) return;
    thread ??= start();
    isCopying = true;
    thread.postMessage('checkpoint');
  }

  return {
    committed() {
      commits += 1;
      timer ??= setTimeout(look, everyMs).unref();
      if (!shallRestart) return;
      shallRestart = false;
      // The next commit begins the log anew if nothing in it is left to copy; only who writes can see to that. It is little by now.
      try {
        database.exec('pragma wal_checkpoint(passive)');
      } catch (error) {
        // The commit has happened; a disk that is full or broken will tell the next one.
        logger.warn({ err: error }, 'the log of the database was not copied');
      }
    },
    async close() {
      clearTimeout(timer);
      isOver = true;
      thread?.ref();
      thread?.postMessage('close');
      await exited;
    },
  };
}
