import type { Lease, Leases } from '@switchyard/database';

/**
 * Makes periodic work that one process at a time does. What it does must be safe to do twice all the same: a lease can be lost
 * in the middle.
 *
 * @param ttlMs how long the others wait when the holder has died.
 */
export function createLeasedTask(
  leases: Leases,
  { name, owner, ttlMs }: { name: string; owner: string; ttlMs: number },
  work: (signal: AbortSignal) => Promise<void>,
): { run(signal: AbortSignal): Promise<void>; release(): Promise<void> } {
  let lease: Lease | undefined;
  return {
    async run(signal) {
      if (lease && !(await leases.renew(lease, ttlMs))) lease = undefined;
      lease ??= await leases.acquire(name, { owner, ttlMs });
      if (lease) await work(signal);
    },
    async release() {
      if (lease) await leases.release(lease);
      lease = undefined;
    },
  };
}
