import { prepareScript } from './run-script.ts';

/**
 * How long an invalidation stays countable: longer than any fetch of a cached value should take.
 * A fetch that began before the invalidation finds another count and does not store what it read.
 */
const epochMs = 120_000;

const bump = `
redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ${epochMs})
`;

/** The cache's scripts. KEYS[1] is the entry, KEYS[2] the count of its invalidations. */
export const cacheScripts = {
  /** ARGV: value, TTL in ms, channel, key as the instances know it. */
  set: prepareScript(`
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
${bump}
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1`),
  /** ARGV: channel, key. */
  del: prepareScript(`
redis.call('DEL', KEYS[1])
${bump}
redis.call('PUBLISH', ARGV[1], ARGV[2])
return 1`),
  /** ARGV: value, TTL in ms, the count seen before the value was fetched. 0 when it has changed. */
  fill: prepareScript(`
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`),
  /** KEYS[1]: a counter. ARGV: TTL in ms. */
  incr: prepareScript(`
local count = redis.call('INCR', KEYS[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count`),
};
