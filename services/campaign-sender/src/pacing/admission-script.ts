/**
 * Decides whether a message may be sent now, soon, or not yet; one call per message, just before the request.
 *
 * KEYS[1] number: hash `tat` (GCRA's theoretical arrival time), `factor` and `cutAt` (what a throughput error took away),
 *         `until` (pause asked for by the provider).
 * KEYS[2] recipient of that number: hash `tat`, `until`, `strikes`.
 * ARGV    1 interval per message (µs), 2 burst, 3 recipient's interval (µs), 4 recipient's burst,
 *         5 longest wait to reserve (µs), 6 time to recover the whole rate (µs),
 *         7 messages to charge the recipient's credit with: 0 for one that was charged when it missed its slot, else 1
 * Returns the wait in µs when the slot is reserved, or minus the wait (−1 at least) when nothing is.
 *
 * All times are Redis's own, so that processes with different clocks agree. Keys expire when they say nothing any more.
 */
export const admitScript = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local n = redis.call('HMGET', KEYS[1], 'tat', 'factor', 'cutAt', 'until')
local p = redis.call('HMGET', KEYS[2], 'tat', 'until')
local factor = tonumber(n[2]) or 1
if factor < 1 then factor = math.min(1, factor + (now - tonumber(n[3])) / tonumber(ARGV[6])) end
local step = tonumber(ARGV[1]) / factor
local pairStep = tonumber(ARGV[3])
local tat = math.max(tonumber(n[1]) or 0, now)
local pairTat = math.max(tonumber(p[1]) or 0, now)
local at = math.max(now, tat - (tonumber(ARGV[2]) - 1) * step, tonumber(n[4]) or 0,
  pairTat - (tonumber(ARGV[4]) - tonumber(ARGV[7])) * pairStep, tonumber(p[2]) or 0)
local wait = math.ceil(at - now)
if wait > tonumber(ARGV[5]) then return -wait end
tat = math.max(tat, at) + step
pairTat = math.max(pairTat, at) + pairStep * tonumber(ARGV[7])
redis.call('HSET', KEYS[1], 'tat', string.format('%.0f', tat))
local ttl = (tat - now) / 1000 + 1000
if n[2] then ttl = math.max(ttl, tonumber(ARGV[6]) / 1000) end
redis.call('PEXPIRE', KEYS[1], math.ceil(ttl))
redis.call('HSET', KEYS[2], 'tat', string.format('%.0f', pairTat))
redis.call('PEXPIRE', KEYS[2], math.ceil(math.max((pairTat - now) / 1000 + 1000, redis.call('PTTL', KEYS[2]))))
return wait
`;

/**
 * Takes units of a number's throughput without asking: an inbound message counts too.
 * KEYS[1] number. ARGV 1 interval (µs), 2 units.
 */
export const debitScript = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local tat = math.max(tonumber(redis.call('HGET', KEYS[1], 'tat')) or 0, now) + tonumber(ARGV[1]) * tonumber(ARGV[2])
redis.call('HSET', KEYS[1], 'tat', string.format('%.0f', tat))
redis.call('PEXPIRE', KEYS[1], math.ceil(math.max((tat - now) / 1000 + 1000, redis.call('PTTL', KEYS[1]))))
return 1
`;

/**
 * Lowers a number's rate after a throughput error: half of what it is now, a sixteenth at least.
 * KEYS[1] number. ARGV 1 time to recover the whole rate (µs), 2 pause (µs), 3 shortest time between two cuts (µs)
 *
 * Calls in flight at the same rate fail together; only the first of them cuts.
 */
export const slowDownScript = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local n = redis.call('HMGET', KEYS[1], 'factor', 'cutAt', 'until')
local untilAt = math.max(tonumber(n[3]) or 0, now + tonumber(ARGV[2]))
local factor = tonumber(n[1]) or 1
if not n[2] or now - tonumber(n[2]) >= tonumber(ARGV[3]) then
  if n[2] then factor = math.min(1, factor + (now - tonumber(n[2])) / tonumber(ARGV[1])) end
  factor = math.max(0.0625, factor / 2)
  redis.call('HSET', KEYS[1], 'factor', tostring(factor), 'cutAt', string.format('%.0f', now))
end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', untilAt))
redis.call('PEXPIRE', KEYS[1], math.ceil((tonumber(ARGV[1]) + tonumber(ARGV[2])) / 1000 + 1000))
return tostring(factor)
`;

/** Lets a number wait. KEYS[1] number. ARGV 1 pause (µs). */
export const holdScript = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local untilAt = math.max(tonumber(redis.call('HGET', KEYS[1], 'until')) or 0, now + tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', untilAt))
redis.call('PEXPIRE', KEYS[1], math.ceil(math.max((untilAt - now) / 1000 + 1000, redis.call('PTTL', KEYS[1]))))
return 1
`;

/**
 * Delays one recipient by 4^X s, X the number of delays before this one; they are forgotten an hour after the last.
 * KEYS[1] recipient. Returns the delay in µs.
 */
export const delayRecipientScript = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local strikes = tonumber(redis.call('HGET', KEYS[1], 'strikes')) or 0
local delay = 4 ^ math.min(strikes, 7) * 1000000
redis.call('HSET', KEYS[1], 'strikes', strikes + 1, 'until', string.format('%.0f', now + delay))
redis.call('PEXPIRE', KEYS[1], math.ceil(delay / 1000 + 3600000))
return delay
`;
