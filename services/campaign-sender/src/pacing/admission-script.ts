import { goOnFunction } from './arrears.ts';
import { HEADROOM } from './pace.ts';
import { recoveredFunction } from './recovery.ts';

/** Messages charge their number's window of this length; half of the one before counts too. */
const circuitWindowMicros = 10_000_000;
/**
 * Slots in arrears come closer together by this share. More would fill the second, and leave a gap one second after the stop, and again each
 * second after that, in which nobody gets a slot.
 */
const catchUp = HEADROOM / 2;
/** For so long after the first message to a recipient further ones may go on credit: less than at the provider, since calls take unequal time. */
const pairCreditMicros = 5_000_000;

/**
 * Decides for many messages at once whether each may be sent now, soon, or not yet; one call just before the requests.
 *
 * KEYS 1 app: hash `tat` (GCRA's theoretical arrival time), `until` (pause asked for by the provider); then for each message
 *        number: hash `tat`, `next` (no slot before), `lost` (time that nobody reserved), `factor`, `cutAt` and `peak` (what a throughput error took away), `until`, `credit2`, `credit3` (when the share of
 *        lane 2, 3 is due next), `window`, `calls`, `troubles` (of the window), `openUntil`, `openings`, `probeUntil` (the circuit);
 *        recipient of that number: hash `start`, `count` (of what was sent together: an interval for each after the start it is paid
 *        back), `until`, `strikes`;
 *        portfolio: sorted set of recipients outside a window, by the time of their latest message in ms.
 * ARGV 1 app's interval (0: no limit of its own), 2 app's burst in µs, 3 time to recover the whole rate, 4 recipient's interval,
 *      5 recipient's burst, 6 longest reach ahead (µs, for a lane whose share is due), 7 time a probe of the circuit may take;
 *      then for each message 1 interval per message, 2 burst, 3 reach ahead, 4 lane (1 most urgent), 5 share of the lane, 6 messages to
 *      charge the recipient with: 0 for one that was charged when it missed its slot, 7 people per day of the portfolio, 0 for no limit,
 *      8 the recipient's name there, 9 for how long slots that nobody asked for in time can still be had (µs). A negative reach asks for what is due of the lane's share, nothing else.
 * Returns three numbers per message: the wait in µs (until its slot, or until it makes sense to ask again), time of the number up to
 *      its slot that nobody has reserved, in µs, and 0 slot reserved, 1 reserved as the circuit's probe; 2 the number's rate, 3 its pause, 4 its circuit, 5 the recipient,
 *      6 the portfolio, 7 the app: nothing reserved. Last comes the time of the clock that all this is told by, in µs.
 *
 * All times are µs of Redis's own clock, so that processes with different clocks agree. Keys expire when they say nothing any more.
 */
export const admitScript = `${recoveredFunction}${goOnFunction}
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local appInterval, appBurst, recovery = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local pairInterval, pairBurst, deepest, probeTime = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local app = redis.call('HMGET', KEYS[1], 'tat', 'until')
local appTat, appUntil = math.max(tonumber(app[1]) or 0, now), tonumber(app[2]) or 0
local appTaken = 0
local numbers, order, answers = {}, {}, {}
local function number(key, arrears)
  local n = numbers[key]
  if n then return n end
  local v = redis.call('HMGET', key, 'tat', 'factor', 'cutAt', 'until', 'credit2', 'credit3', 'window', 'calls', 'troubles',
    'openUntil', 'openings', 'probeUntil', 'lost', 'peak', 'next')
  n = { tat = tonumber(v[1]) or now, next = tonumber(v[15]) or 0, arrears = arrears, lost = tonumber(v[13]) or 0, factor = tonumber(v[2]) or 1, cut = v[2], pause = tonumber(v[4]) or 0,
    credit = { 0, tonumber(v[5]) or 0, tonumber(v[6]) or 0 }, window = tonumber(v[7]) or 0, calls = tonumber(v[8]) or 0,
    troubles = tonumber(v[9]) or 0, openUntil = tonumber(v[10]) or 0, openings = tonumber(v[11]) or 0,
    probeUntil = tonumber(v[12]) or 0, taken = 0 }
  if v[2] then n.factor = recovered(n.factor, tonumber(v[3]), tonumber(v[14]) or 1, now) end
  if n.factor < 1 then n.arrears = 0 end
  local tat = goOn(n.tat, n.next, n.arrears, now)
  n.lost, n.tat = n.lost + tat - n.tat, tat
  local window = math.floor(now / ${circuitWindowMicros})
  if window ~= n.window then
    local kept = window == n.window + 1 and 0.5 or 0
    n.window, n.calls, n.troubles = window, n.calls * kept, n.troubles * kept
  end
  numbers[key] = n
  order[#order + 1] = key
  return n
end
local function decide(i)
  local k, a = 2 + (i - 1) * 3, 8 + (i - 1) * 9
  local n = number(KEYS[k], tonumber(ARGV[a + 8]))
  local reach, lane = tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  if appUntil > now then return appUntil - now, 7 end
  if n.pause > now then return n.pause - now, 3 end
  if n.openUntil > now then return n.openUntil - now, 4 end
  if n.openings > 0 and n.probeUntil > now then return n.probeUntil - now, 4 end
  local charge = tonumber(ARGV[a + 5])
  local p = redis.call('HMGET', KEYS[k + 1], 'start', 'count', 'until')
  local pairStart, pairCount, pairUntil = tonumber(p[1]) or 0, tonumber(p[2]) or 0, tonumber(p[3]) or 0
  if pairUntil > now then return pairUntil - now, 5 end
  local pairFree = pairStart + pairCount * pairInterval
  local creditEnds = pairCount < pairBurst and pairStart + ${pairCreditMicros} or 0
  local function owes(at) return charge > 0 and pairFree > at and creditEnds <= at end
  if owes(now) then return pairFree - now, 5 end
  local step = tonumber(ARGV[a]) / n.factor
  local wait = math.max(0, n.tat - (tonumber(ARGV[a + 1]) - 1) * step - now)
  if n.arrears > 0 then wait = math.max(wait, n.next - now) end
  if lane > 1 and n.credit[lane] <= now then reach = deepest end
  if wait > reach then return wait - math.max(reach, 0), 2 end
  if appInterval > 0 then
    local appWait = appTat - appBurst - now
    if appWait > reach then return appWait - math.max(reach, 0), 7 end
    wait = math.max(wait, appWait)
  end
  if owes(now + wait) then return pairFree - now, 5 end
  local limit = tonumber(ARGV[a + 6])
  if limit > 0 then
    local nowMs = now / 1000
    redis.call('ZREMRANGEBYSCORE', KEYS[k + 2], '-inf', nowMs - 86400000)
    if not redis.call('ZSCORE', KEYS[k + 2], ARGV[a + 7]) and redis.call('ZCARD', KEYS[k + 2]) >= limit then
      local oldest = redis.call('ZRANGE', KEYS[k + 2], 0, 0, 'WITHSCORES')
      return (tonumber(oldest[2]) + 86400000 - nowMs) * 1000, 6
    end
    redis.call('ZADD', KEYS[k + 2], string.format('%.0f', nowMs), ARGV[a + 7])
    redis.call('PEXPIRE', KEYS[k + 2], 86400000)
  end
  local tat = math.max(n.tat, now + wait - n.arrears)
  n.lost, n.tat = n.lost + tat - n.tat, tat
  local unreserved = now + wait - n.tat + n.lost
  n.tat = n.tat + step
  n.next = now + wait + step * (1 - ${catchUp})
  n.taken = n.taken + 1
  n.calls = n.calls + 1
  if lane > 1 then n.credit[lane] = math.max(n.credit[lane], now) + step / tonumber(ARGV[a + 4]) end
  appTat = math.max(appTat, now) + appInterval
  appTaken = appTaken + 1
  if charge > 0 then
    if pairFree <= now + wait then pairStart, pairCount = now + wait, 0 end
    pairStart, pairCount = math.min(pairStart, now + wait), pairCount + charge
    pairFree = pairStart + pairCount * pairInterval
    redis.call('HSET', KEYS[k + 1], 'start', string.format('%.0f', pairStart), 'count', pairCount)
    redis.call('PEXPIRE', KEYS[k + 1], math.ceil(math.max((pairFree - now) / 1000 + 1000, redis.call('PTTL', KEYS[k + 1]))))
  end
  if n.openings == 0 then return wait, 0, unreserved end
  n.probeUntil = now + wait + probeTime
  return wait, 1, unreserved
end
for i = 1, (#KEYS - 1) / 3 do
  local wait, kind, unreserved = decide(i)
  answers[#answers + 1] = math.ceil(wait)
  answers[#answers + 1] = math.floor(unreserved or 0)
  answers[#answers + 1] = kind
end
answers[#answers + 1] = now
for _, key in ipairs(order) do
  local n = numbers[key]
  if n.taken > 0 then
    redis.call('HSET', key, 'tat', string.format('%.0f', n.tat), 'next', string.format('%.0f', n.next), 'lost', string.format('%.0f', n.lost), 'window', n.window, 'calls', n.calls, 'troubles', n.troubles)
    if n.credit[2] > now then redis.call('HSET', key, 'credit2', string.format('%.0f', n.credit[2])) end
    if n.credit[3] > now then redis.call('HSET', key, 'credit3', string.format('%.0f', n.credit[3])) end
    if n.openings > 0 then redis.call('HSET', key, 'probeUntil', string.format('%.0f', n.probeUntil)) end
    local ttl = math.max(n.tat, n.credit[2], n.credit[3], now + ${circuitWindowMicros}) - now
    if n.cut then ttl = math.max(ttl, recovery) end
    redis.call('PEXPIRE', key, math.ceil(math.max(ttl / 1000 + 1000, redis.call('PTTL', key))))
  end
end
if appInterval > 0 and appTaken > 0 then
  redis.call('HSET', KEYS[1], 'tat', string.format('%.0f', appTat))
  redis.call('PEXPIRE', KEYS[1], math.ceil(math.max((appTat - now) / 1000 + 1000, redis.call('PTTL', KEYS[1]))))
end
return answers
`;

/**
 * Takes units of a number's throughput without asking: an inbound message counts too.
 * KEYS[1] number. ARGV 1 interval (µs), 2 units, 3 for how long slots that nobody asked for in time can still be had (µs).
 */
export const debitScript = `${goOnFunction}
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local n = redis.call('HMGET', KEYS[1], 'tat', 'next')
local known = tonumber(n[1]) or now
local tat = goOn(known, tonumber(n[2]) or 0, tonumber(ARGV[3]), now)
if tat > known then redis.call('HINCRBY', KEYS[1], 'lost', string.format('%.0f', tat - known)) end
tat = tat + tonumber(ARGV[1]) * tonumber(ARGV[2])
redis.call('HSET', KEYS[1], 'tat', string.format('%.0f', tat))
redis.call('PEXPIRE', KEYS[1], math.ceil(math.max((tat - now) / 1000 + 1000, redis.call('PTTL', KEYS[1]))))
return 1
`;

/**
 * Lowers a number's rate after a throughput error: half of what it is now, a sixteenth at least. How it comes back: `recovery.ts`.
 * KEYS[1] number. ARGV 1 time to recover the whole rate (µs), 2 pause (µs), 3 shortest time between two cuts (µs)
 *
 * Calls in flight at the same rate fail together; only the first of them cuts.
 */
export const slowDownScript = `${recoveredFunction}
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local n = redis.call('HMGET', KEYS[1], 'factor', 'cutAt', 'until', 'peak')
local untilAt = math.max(tonumber(n[3]) or 0, now + tonumber(ARGV[2]))
local factor = tonumber(n[1]) or 1
if not n[2] or now - tonumber(n[2]) >= tonumber(ARGV[3]) then
  local peak = n[2] and recovered(factor, tonumber(n[2]), tonumber(n[4]) or 1, now) or 1
  factor = math.max(0.0625, peak / 2)
  redis.call('HSET', KEYS[1], 'factor', tostring(factor), 'cutAt', string.format('%.0f', now), 'peak', tostring(peak))
end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', untilAt))
redis.call('PEXPIRE', KEYS[1],
  math.ceil(math.max((tonumber(ARGV[1]) + tonumber(ARGV[2])) / 1000 + 1000, redis.call('PTTL', KEYS[1]))))
return tostring(factor)
`;

/** Lets a number, or the app, wait. KEYS[1] number or app. ARGV 1 pause (µs). */
export const holdScript = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local untilAt = math.max(tonumber(redis.call('HGET', KEYS[1], 'until')) or 0, now + tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', untilAt))
redis.call('PEXPIRE', KEYS[1], math.ceil(math.max((untilAt - now) / 1000 + 1000, redis.call('PTTL', KEYS[1]))))
return 1
`;

/** Ends a number's pauses and closes its circuit: somebody has seen that it works. KEYS[1] number. */
export const clearScript = `
return redis.call('HDEL', KEYS[1], 'until', 'openUntil', 'openings', 'probeUntil', 'calls', 'troubles')
`;

/** Lets another message be the probe of an open circuit. KEYS[1] number. */
export const giveBackProbeScript = `return redis.call('HDEL', KEYS[1], 'probeUntil')`;

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

/**
 * Counts a call that says the provider is unwell. Enough of them, and half of the calls at least, open the number's circuit: nothing
 * goes out, then one probe decides; each that fails doubles the time.
 *
 * KEYS[1] number. ARGV 1 troubles that open it, 2 first time open (µs), 3 longest time open (µs), 4 whether the call was the probe
 * Returns 1 when this call has opened it.
 */
export const troubleScript = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local n = redis.call('HMGET', KEYS[1], 'window', 'calls', 'troubles', 'openings', 'openUntil')
local openings = tonumber(n[4]) or 0
local function open()
  local time = math.min(tonumber(ARGV[2]) * 2 ^ math.min(openings, 20), tonumber(ARGV[3]))
  redis.call('HSET', KEYS[1], 'openings', openings + 1, 'openUntil', string.format('%.0f', now + time))
  redis.call('HDEL', KEYS[1], 'probeUntil', 'calls', 'troubles')
  redis.call('PEXPIRE', KEYS[1], math.ceil(math.max(time / 1000 + 3600000, redis.call('PTTL', KEYS[1]))))
  return 1
end
if ARGV[4] == '1' then return open() end
if openings > 0 then return 0 end
local window = math.floor(now / ${circuitWindowMicros})
local calls, troubles = tonumber(n[2]) or 0, tonumber(n[3]) or 0
local known = tonumber(n[1]) or 0
if window ~= known then
  local kept = window == known + 1 and 0.5 or 0
  calls, troubles = calls * kept, troubles * kept
end
troubles = troubles + 1
if troubles >= tonumber(ARGV[1]) and troubles * 2 >= calls then return open() end
redis.call('HSET', KEYS[1], 'window', window, 'calls', calls, 'troubles', troubles)
redis.call('PEXPIRE', KEYS[1], math.ceil(math.max(${circuitWindowMicros} / 500, redis.call('PTTL', KEYS[1]))))
return 0
`;
