/**
 * Waits for a promise no longer than a time: what a scrape asks for must not hang with Redis.
 *
 * @param timeoutMs how long to wait.
 * @throws Error when it takes longer, and what `work` throws.
 */
export async function bounded<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
