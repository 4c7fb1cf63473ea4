import type { Lease, Leases } from '@switchyard/database';

/** How soon another process tries to take a lease that it did not get. */
const RETRY_MS = 1000;

/**
 * Makes periodic work that one process at a time does. What it does must be safe to do twice all the same: a lease can be lost
 * in the middle. However often it runs, the lease costs a few statements per `ttlMs`.
 *
 * @param ttlMs how long the others wait when the holder has died.
 */
export function createLeasedTask(
  leases: Leases,
  { name, owner, ttlMs }: { name: string; owner: string; ttlMs: number },
  work: (signal: AbortSignal) => Promise<void>,
): { run(signal: AbortSignal): Promise<void>; release(): Promise<void> } {
  let lease: Lease | undefined;
  let renewAtMs = 0;
  let tryAtMs = 0;

  async function hold(): Promise<boolean> {
    const nowMs = performance.now();
    if (lease && nowMs >= renewAtMs) {
      renewAtMs = nowMs + ttlMs / 3;
      if (!(await leases.renew(lease, ttlMs))) lease = undefined;
    }
    if (!lease && nowMs >= tryAtMs) {
      tryAtMs = nowMs + Math.min(RETRY_MS, ttlMs / 3);
      renewAtMs = nowMs + ttlMs / 3;
      lease = await leases.acquire(name, { owner, ttlMs });
    }
    return lease !== undefined;
  }

  return {
    async run(signal) {
      if (await hold()) await work(signal);
    },
    async release() {
      if (lease) await leases.release(lease);
      lease = undefined;
    },
  };
}
