/**
 * Waits for a promise, but not past a deadline. What it does after that is nobody's concern: its failure is swallowed.
 *
 * @param timeoutMs from now; at least one turn of the event loop is given.
 * @param late makes the error.
 * @throws whatever `late` returns, or the promise's own failure.
 */
export function withinDeadline<T>(promise: Promise<T>, timeoutMs: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), Math.max(1, timeoutMs));
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
