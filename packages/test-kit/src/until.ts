import { setTimeout as delay } from 'node:timers/promises';

type Falsy = false | null | undefined | 0 | '';

/**
 * Polls until a condition holds: for states that no event announces.
 *
 * @param condition returns (or resolves to) something truthy once it holds. What it throws counts as "not yet".
 * @param options `timeoutMs` (default 10 000), `intervalMs` (default 10) and `what`, the state in words.
 * @returns the truthy value.
 * @throws Error after `timeoutMs`, with the condition's last error as its cause.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: { timeoutMs?: number; intervalMs?: number; what?: string } = {},
): Promise<Exclude<T, Falsy>> {
  const { timeoutMs = 10_000, intervalMs = 10, what = 'the condition' } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      const value = await condition();
      if (value) return value as Exclude<T, Falsy>;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline)
      throw new Error(`${what}: not so after ${timeoutMs} ms`, cause === undefined ? undefined : { cause });
    await delay(intervalMs);
  }
}
