import { AsyncLocalStorage } from 'node:async_hooks';
import { isCodedError } from '@switchyard/errors';
import type { Logger } from 'pino';
import type { InboxTable } from '../database/tables.ts';
import type { AppliedInput, ApplyInput, FreshInput } from './apply-input.ts';
import { contactName } from './create-inbox.ts';

/** Inputs applied in one transaction: enough to share its cost, few enough that the next ones don't wait long. */
const BATCH_MOST = 32;
/** Of a batch, what is kept for inputs that nobody waits for, so that they get on beside live ones. */
const BACKGROUND_SHARE = 4;
/** Of a batch, how many may be of those: a live input that comes meanwhile waits for the transaction. */
const BACKGROUND_MOST = 8;

/**
 * Applies an input together with those of other contacts that come at the same time.
 *
 * @param isBackground nobody waits for it: live ones go first.
 * @returns undefined when it has to go through the inbox: its contact is another process' now, or it can't be applied.
 * @throws what asks for a later try: the database is away.
 */
export type GatherInput = (row: InboxTable, isBackground: boolean) => Promise<AppliedInput | undefined>;

interface Waiting extends FreshInput {
  resolve: (applied: AppliedInput | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * Makes {@link GatherInput}. While a transaction is under way, what comes is gathered for the next one: an idle engine answers at
 * once, a busy one shares the cost of a transaction. Of one contact one input is applied at a time, in the order of coming; live
 * inputs go before timers.
 *
 * @param parts.parallel transactions at a time.
 */
export function createGatherInput(parts: {
  applyInput: Pick<ApplyInput, 'together'>;
  parallel: number;
  logger: Logger;
}): GatherInput {
  const { applyInput, parallel, logger } = parts;
  const live: Waiting[] = [];
  const background: Waiting[] = [];
  const busy = new Set<string>();
  let underWay = 0;

  /** Moves up to `most` inputs of idle contacts from a line into a batch; those contacts are then busy. */
  function take(line: Waiting[], batch: Waiting[], most: number): void {
    let taken = 0;
    for (let at = 0; at < line.length && taken < most; ) {
      const name = contactName(line[at]!.row);
      if (busy.has(name)) {
        at += 1;
        continue;
      }
      busy.add(name);
      batch.push(...line.splice(at, 1));
      taken += 1;
    }
  }

  function nextBatch(): Waiting[] {
    const batch: Waiting[] = [];
    take(live, batch, BATCH_MOST - Math.min(background.length, BACKGROUND_SHARE));
    take(background, batch, Math.min(BACKGROUND_MOST, BATCH_MOST - batch.length));
    return batch;
  }

  async function apply(batch: readonly Waiting[]): Promise<void> {
    let results: Map<string, AppliedInput>;
    try {
      results = await applyInput.together(batch);
    } catch (error) {
      if (isCodedError(error) && error.outcome === 'later') {
        for (const each of batch) each.reject(error);
        return;
      }
      const [only, ...others] = batch;
      if (only && others.length === 0) {
        // What can't be applied is set aside when it comes up in the inbox.
        logger.debug({ err: error, inboxId: only.row.id }, 'an input goes through the inbox');
        only.resolve(undefined);
        return;
      }
      // One of them spoils the transaction: each on its own, so that it spoils no other's.
      for (const each of batch) await apply([each]);
      return;
    }
    for (const { row, resolve } of batch) resolve(results.get(row.id));
  }

  function run(): void {
    while (underWay < parallel) {
      const batch = nextBatch();
      if (batch.length === 0) return;
      underWay += 1;
      void apply(batch).finally(() => {
        underWay -= 1;
        for (const { row } of batch) busy.delete(contactName(row));
        run();
      });
    }
  }

  return (row, isBackground) => {
    const inContext = AsyncLocalStorage.snapshot();
    return new Promise((resolve, reject) => {
      (isBackground ? background : live).push({ row, inContext, resolve, reject });
      // In a turn of its own: inputs that come in the same turn share the transaction.
      if (underWay < parallel) setImmediate(run);
    });
  };
}
