/**
 * Waits for a promise no longer than a time.
 *
 * @param work a failure counts as `fallback` too.
 * @param timeoutMs how long to wait.
 */
export async function within<T, F>(work: () => Promise<T>, timeoutMs: number, fallback: F): Promise<T | F> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<F>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, fallback);
  });
  try {
    return await Promise.race([work(), late]);
  } catch {
    return fallback;
  } finally {
    clearTimeout(timer);
  }
}
