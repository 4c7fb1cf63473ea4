import type { Cluster, Redis } from 'ioredis';
import { recoveredFunction } from './recovery.ts';

/** A number whose messages are due. */
export interface ReadyNumber {
  senderId: string;
  /** When it became ready, in ms since 1970. */
  readyAtMs: number;
  /** Share of its rate that throughput errors have left. */
  factor: number;
  /** For how long the provider, or an open circuit, keeps it from sending. */
  holdMs: number;
}

/** What a visit made of a number: when to visit it again, or that nothing waits. */
export interface Visited {
  senderId: string;
  nextAtMs: number | undefined;
}

/**
 * The numbers that have messages waiting in SQL, by the time of their next visit. Numbers without any are not in it and cost nothing.
 * It is a memory, not the truth: what a crash or an emptied Redis takes from it is found again in SQL within seconds.
 */
export interface ReadySet {
  /** Messages of these numbers will be due then; an earlier visit stays. */
  note(due: Iterable<readonly [senderId: string, atMs: number]>): Promise<void>;
  /** Messages of these numbers are due then, as SQL says. Corrects what is missing, or much too late. */
  recall(due: ReadonlyMap<string, number>, nowMs: number): Promise<void>;
  /** Takes numbers that are ready; each is ready again after `claimMs`, should this process die. */
  take(nowMs: number, limit: number, claimMs: number): Promise<ReadyNumber[]>;
  /** Ends visits. Of the time it is given and one that was noted meanwhile, a number keeps the earlier. */
  settle(visited: readonly Visited[], claimedUntilMs: number): Promise<void>;
  /** When the next number is ready; undefined when none waits. */
  nextAtMs(): Promise<number | undefined>;
}

/**
 * KEYS[1] ready set. ARGV 1 now (ms), 2 most numbers, 3 time of the claim, 4 prefix of the numbers' keys.
 * Returns id, ready at, factor in thousandths, hold in ms, for each.
 */
const takeScript = `${recoveredFunction}
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local ready = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local answers = {}
for i = 1, #ready, 2 do
  local n = redis.call('HMGET', ARGV[4] .. ready[i], 'factor', 'cutAt', 'until', 'openUntil', 'peak')
  local factor = 1
  if n[1] then factor = recovered(tonumber(n[1]), tonumber(n[2]), tonumber(n[5]) or 1, now) end
  local hold = math.max(tonumber(n[3]) or 0, tonumber(n[4]) or 0) - now
  redis.call('ZADD', KEYS[1], ARGV[3], ready[i])
  answers[#answers + 1] = ready[i]
  answers[#answers + 1] = ready[i + 1]
  answers[#answers + 1] = math.floor(factor * 1000)
  answers[#answers + 1] = math.max(0, math.ceil(hold / 1000))
end
return answers
`;

/**
 * KEYS[1] ready set. ARGV 1 time of the claim, then id and next time ('' for none) of each. One message that was noted for later meanwhile
 * does not put off the others.
 */
const settleScript = `
for i = 2, #ARGV, 2 do
  local isClaimed = redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[1]
  if ARGV[i + 1] ~= '' then
    if isClaimed then redis.call('ZADD', KEYS[1], ARGV[i + 1], ARGV[i])
    else redis.call('ZADD', KEYS[1], 'LT', ARGV[i + 1], ARGV[i]) end
  elseif isClaimed then redis.call('ZREM', KEYS[1], ARGV[i]) end
end
return 1
`;

/**
 * KEYS[1] ready set. ARGV 1 now, then id and due time of each. A number that is only paced comes again within seconds and is left alone.
 */
const recallScript = `
for i = 2, #ARGV, 2 do
  local known = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[i]) or 'inf')
  local due = tonumber(ARGV[i + 1])
  if due < known and known > tonumber(ARGV[1]) + 10000 then redis.call('ZADD', KEYS[1], ARGV[i + 1], ARGV[i]) end
end
return 1
`;

const RECALLED_AT_ONCE = 1000;

interface Scripts {
  sendTakeReady(key: string, ...args: (string | number)[]): Promise<(string | number)[]>;
  sendRecallReady(key: string, ...args: (string | number)[]): Promise<number>;
  sendSettleReady(key: string, ...args: (string | number)[]): Promise<number>;
}

/** Makes the ready set. @param client a connection of the queue role. */
export function createReadySet(client: Redis | Cluster, keyPrefix: string): ReadySet {
  client.defineCommand('sendTakeReady', { numberOfKeys: 1, lua: takeScript });
  client.defineCommand('sendRecallReady', { numberOfKeys: 1, lua: recallScript });
  client.defineCommand('sendSettleReady', { numberOfKeys: 1, lua: settleScript });
  const scripts = client as unknown as Scripts;
  const key = `${keyPrefix}send:ready`;
  const numberPrefix = `${keyPrefix}send:number:`;

  return {
    async note(due) {
      const members = [...due].flatMap(([senderId, atMs]) => [Math.ceil(atMs), senderId]);
      if (members.length > 0) await client.zadd(key, 'LT', ...members);
    },
    async recall(due, nowMs) {
      const entries = [...due];
      for (let start = 0; start < entries.length; start += RECALLED_AT_ONCE)
        await scripts.sendRecallReady(
          key,
          nowMs,
          ...entries.slice(start, start + RECALLED_AT_ONCE).flatMap(([id, atMs]) => [id, Math.ceil(atMs)]),
        );
    },
    async take(nowMs, limit, claimMs) {
      const flat = await scripts.sendTakeReady(key, nowMs, limit, nowMs + claimMs, numberPrefix);
      return Array.from({ length: flat.length / 4 }, (_, index) => ({
        senderId: String(flat[4 * index]),
        readyAtMs: Number(flat[4 * index + 1]),
        factor: Number(flat[4 * index + 2]) / 1000,
        holdMs: Number(flat[4 * index + 3]),
      }));
    },
    async settle(visited, claimedUntilMs) {
      if (visited.length === 0) return;
      const args = visited.flatMap(({ senderId, nextAtMs }) => [
        senderId,
        nextAtMs === undefined ? '' : String(Math.ceil(nextAtMs)),
      ]);
      await scripts.sendSettleReady(key, String(claimedUntilMs), ...args);
    },
    async nextAtMs() {
      const [, score] = await client.zrange(key, 0, '0', 'WITHSCORES');
      return score === undefined ? undefined : Number(score);
    },
  };
}
