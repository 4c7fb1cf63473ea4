/**
 * Gathers calls that come in one turn of the event loop and does their work together, so that 50 webhooks at once cost few round
 * trips and not 50.
 *
 * @param work gets the items of all calls of a round. Its failure fails all of them.
 * @param options.fullAt a round of so many items does not wait for the end of the turn: all at once would leave Redis idle while this
 *   process works, and this process while Redis does.
 * @param options.later runs a round once the input of this turn has been handled: each socket's data comes in a callback of its own.
 * @returns a function that resolves with the work's result once the call's items were part of it.
 */
export function createBatch<T, R>(
  work: (items: readonly T[]) => Promise<R>,
  { fullAt = 16, later = setImmediate }: { fullAt?: number; later?: (run: () => void) => void } = {},
): (items: readonly T[]) => Promise<R> {
  interface Round {
    readonly items: T[];
    readonly result: PromiseWithResolvers<R>;
  }
  let current: Round | undefined;

  function run(round: Round): void {
    // It was full before.
    if (current !== round) return;
    current = undefined;
    work(round.items).then(round.result.resolve, round.result.reject);
  }

  function open(): Round {
    const round: Round = { items: [], result: Promise.withResolvers<R>() };
    current = round;
    later(() => run(round));
    return round;
  }

  return (items) => {
    const round = current ?? open();
    for (const item of items) round.items.push(item);
    if (round.items.length >= fullAt) run(round);
    return round.result.promise;
  };
}
