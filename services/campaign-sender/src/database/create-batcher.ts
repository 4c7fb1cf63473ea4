import { setTimeout as pause, setImmediate } from 'node:timers/promises';
import { isCodedError } from '@switchyard/errors';
import { withoutMeta } from '@switchyard/jobs';

/** Gathers calls that come at the same time into one transaction. */
export interface Batcher<T, R> {
  /** Does one item together with whatever else is waiting. */
  submit(item: T): Promise<R>;
}

interface Waiting<T, R> {
  item: T;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/**
 * Batches without a timer: an item that finds nobody at work starts at once; those that come meanwhile go together next. So
 * a single message waits for nothing, and under load a handful of statements serve a hundred.
 *
 * A batch that fails is done again one by one, so that one bad row doesn't fail its neighbours; when the database is away, all fail.
 *
 * @param run does a batch and returns the results in the same order. Must have no effect when it throws.
 */
export function createBatcher<T, R>({
  maxItems,
  betweenMs = 0,
  run,
}: {
  maxItems: number;
  /** Shortest time between the beginnings of two batches; 0 unless said. */
  betweenMs?: number;
  run: (items: T[]) => Promise<R[]>;
}): Batcher<T, R> {
  let begunAtMs = Number.NEGATIVE_INFINITY;
  let waiting: Waiting<T, R>[] = [];
  let isRunning = false;

  async function runBatch(batch: Waiting<T, R>[]): Promise<void> {
    try {
      const results = await run(batch.map(({ item }) => item));
      for (const [index, each] of batch.entries()) each.resolve(results[index]!);
    } catch (error) {
      if (batch.length === 1 || (isCodedError(error) && error.outcome === 'later'))
        for (const each of batch) each.reject(error);
      else for (const each of batch) await runBatch([each]);
    }
  }

  async function drain(): Promise<void> {
    isRunning = true;
    // What was submitted in the same turn of the event loop goes together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const leftMs = begunAtMs + betweenMs - performance.now();
      if (leftMs > 0.5 && waiting.length < maxItems) await pause(leftMs);
      begunAtMs = performance.now();
      const batch = waiting.slice(0, maxItems);
      waiting = waiting.slice(maxItems);
      await runBatch(batch);
      // Answers and jobs that have arrived meanwhile join the next batch.
      if (waiting.length > 0) await setImmediate();
    }
    isRunning = false;
  }

  return {
    submit: (item) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        // The batch is several jobs' work: none of them lends it its ids.
        if (!isRunning) void withoutMeta(drain);
      }),
  };
}
