/**
 * Gathers calls that come in one turn of the event loop and does their work together, so that 50 webhooks at once cost one round
 * trip and not 50.
 *
 * @param work gets the items of all calls, at most `maxItems` but for a single call that has more. Its failure fails all calls.
 * @returns a function that resolves with the work's result once the call's items were part of it.
 */
export function createBatch<T, R>(
  work: (items: readonly T[]) => Promise<R>,
  maxItems = 1000,
): (items: readonly T[]) => Promise<R> {
  interface Round {
    readonly items: T[];
    readonly result: PromiseWithResolvers<R>;
  }
  let current: Round | undefined;

  function run(round: Round): void {
    if (current === round) current = undefined;
    work(round.items).then(round.result.resolve, round.result.reject);
  }

  return (items) => {
    if (current && current.items.length + items.length > maxItems) current = undefined;
    if (!current) {
      const round: Round = { items: [], result: Promise.withResolvers<R>() };
      current = round;
      // After the input of this turn has been handled: each socket's data comes in a callback of its own.
      setImmediate(run, round);
    }
    for (const item of items) current.items.push(item);
    return current.result.promise;
  };
}
