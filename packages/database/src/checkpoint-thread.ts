/** Copies the write-ahead log of a SQLite file into the file, whenever it is asked to. A thread of {@link createCheckpointer}. */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/** Rounds of one request: what was written during the first is little, and during the second almost nothing. */
const roundsMost = 3;
const leftMost = 64;

const database = new DatabaseSync((workerData as { path: string }).path);
const checkpoint = database.prepare('pragma wal_checkpoint(passive)');

parentPort?.on('message', (request: 'checkpoint' | 'close') => {
  if (request === 'close') {
    database.close();
    parentPort?.close();
    return;
  }
  let pages = 0;
  for (let round = 0; round < roundsMost; round++) {
    const { log, checkpointed } = checkpoint.get() as { log: number; checkpointed: number };
    pages = log;
    if (log - checkpointed <= leftMost) break;
  }
  parentPort?.postMessage(pages);
});
