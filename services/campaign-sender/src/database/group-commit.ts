import { setTimeout as pause, setImmediate } from 'node:timers/promises';
import { isCodedError } from '@switchyard/errors';
import { withoutMeta } from '@switchyard/jobs';
import type { Batcher } from './create-batcher.ts';
import type { InScope, Scope } from './scope.ts';

/** Writes of several kinds that share their transactions. */
export interface GroupCommit {
  /**
   * Makes the batcher of one kind.
   *
   * @param run does a batch within the transaction and returns the results in the same order.
   */
  batcher<T, R>(options: {
    maxItems: number;
    run: (scope: Scope, items: readonly T[]) => Promise<R[]>;
  }): Batcher<T, R>;
}

interface Waiting {
  item: unknown;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

interface Kind {
  maxItems: number;
  run: (scope: Scope, items: readonly unknown[]) => Promise<unknown[]>;
  waiting: Waiting[];
}

interface Part {
  kind: Kind;
  items: Waiting[];
}

const BETWEEN_COMMITS_MS = 4;
/** So many writes don't wait for that. */
const LOAD = 40;
/** So many writes are worth a commit of their own. */
const ENOUGH = 150;
/** From one commit to the next, however busy the process is. */
const LONGEST_MS = 12;

/**
 * Makes transactions that carry whatever waits: recordings, intents and outcomes of a hundred messages cost one commit. What finds
 * nobody at work starts at once, what comes in the next few milliseconds goes together.
 *
 * A transaction that fails is done again kind by kind, then item by item, so that one bad row fails nobody else; when the database is
 * away, all fail.
 */
export function createGroupCommit(inScope: InScope): GroupCommit {
  const kinds: Kind[] = [];
  let isRunning = false;
  let begunAtMs = Number.NEGATIVE_INFINITY;

  const waitingCount = () => kinds.reduce((sum, kind) => sum + kind.waiting.length, 0);

  /**
   * Under a steady trickle, one commit carries what comes in a few milliseconds; a first message waits for nothing. In a busy process what
   * each next turn of the event loop brings goes along, since rows of one commit share its pages; a turn that brings nothing ends it.
   */
  async function gather(): Promise<void> {
    const sinceMs = () => performance.now() - begunAtMs;
    const leftMs = BETWEEN_COMMITS_MS - sinceMs();
    if (leftMs > 0.5 && waitingCount() < LOAD) await pause(leftMs);
    else await setImmediate();
    for (let known = 0, count = waitingCount(); count > known && count < ENOUGH; count = waitingCount()) {
      if (count < LOAD || sinceMs() > LONGEST_MS) break;
      known = count;
      await setImmediate();
    }
    begunAtMs = performance.now();
  }

  async function commit(parts: readonly Part[]): Promise<void> {
    try {
      const results = await inScope(async (scope) => {
        const done: unknown[][] = [];
        for (const { kind, items } of parts)
          done.push(
            await kind.run(
              scope,
              items.map(({ item }) => item),
            ),
          );
        return done;
      });
      for (const [at, { items }] of parts.entries())
        for (const [index, each] of items.entries()) each.resolve(results[at]![index]);
    } catch (error) {
      await divide(parts, error);
    }
  }

  async function divide(parts: readonly Part[], error: unknown): Promise<void> {
    const [first] = parts;
    const isAway = isCodedError(error) && error.outcome === 'later';
    if (isAway || (parts.length === 1 && first!.items.length === 1))
      for (const { items } of parts) for (const each of items) each.reject(error);
    else if (parts.length > 1) for (const part of parts) await commit([part]);
    else for (const item of first!.items) await commit([{ kind: first!.kind, items: [item] }]);
  }

  async function drain(): Promise<void> {
    isRunning = true;
    for (;;) {
      // What arrives in the same turn of the event loop goes together.
      await gather();
      const parts = kinds
        .filter(({ waiting }) => waiting.length > 0)
        .map((kind): Part => ({ kind, items: kind.waiting.splice(0, kind.maxItems) }));
      if (parts.length === 0) break;
      await commit(parts);
      if (kinds.every(({ waiting }) => waiting.length === 0)) break;
    }
    isRunning = false;
  }

  return {
    batcher<T, R>({
      maxItems,
      run,
    }: {
      maxItems: number;
      run: (scope: Scope, items: readonly T[]) => Promise<R[]>;
    }): Batcher<T, R> {
      const kind: Kind = { maxItems, run: run as Kind['run'], waiting: [] };
      kinds.push(kind);
      return {
        submit: (item) =>
          new Promise<R>((resolve, reject) => {
            kind.waiting.push({ item, resolve: resolve as Waiting['resolve'], reject });
            // The transaction is several jobs' work: none of them lends it its ids.
            if (!isRunning) void withoutMeta(drain);
          }),
      };
    },
  };
}
