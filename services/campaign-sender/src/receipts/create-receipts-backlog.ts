import type { Cluster, Redis } from 'ioredis';
import type { ReceiptsBacklog } from '../sending/reconcile-parked.ts';

/**
 * The time of the oldest job that has come and has not been applied: waiting, running, or to be tried again. A job that is put back
 * joins the queue at its end, so both ends are looked at.
 *
 * KEYS: wait, active, delayed. ARGV: prefix of the jobs' keys, jobs looked at from each end.
 */
const oldestScript = `
local oldest = false
local depth = tonumber(ARGV[2])
local function look(ids)
  for _, id in ipairs(ids) do
    local at = tonumber(redis.call('HGET', ARGV[1] .. id, 'timestamp'))
    if at and (not oldest or at < oldest) then oldest = at end
  end
end
look(redis.call('LRANGE', KEYS[1], 0, depth - 1))
look(redis.call('LRANGE', KEYS[1], -depth, -1))
look(redis.call('LRANGE', KEYS[2], 0, -1))
look(redis.call('ZRANGE', KEYS[3], 0, depth - 1))
return oldest
`;

const DEPTH = 200;

interface Scripts {
  sendOldestReceipt(
    wait: string,
    active: string,
    delayed: string,
    jobPrefix: string,
    depth: number,
  ): Promise<number | null>;
}

/**
 * Asks the `receipts` queue how far behind we are.
 *
 * @param client a connection of the queue role. @param bullPrefix BullMQ's key prefix there.
 */
export function createReceiptsBacklog(client: Redis | Cluster, bullPrefix: string): ReceiptsBacklog {
  client.defineCommand('sendOldestReceipt', { numberOfKeys: 3, lua: oldestScript });
  const key = (suffix: string) => `${bullPrefix}:receipts:${suffix}`;
  return {
    async oldestQueuedAtMs() {
      const oldest = await (client as unknown as Scripts).sendOldestReceipt(
        key('wait'),
        key('active'),
        key('delayed'),
        key(''),
        DEPTH,
      );
      return oldest ?? undefined;
    },
  };
}
