import type { BreakerAnswer, BreakerEvent, BreakerPolicy } from './breaker-state.ts';
import type { RedisClient } from './redis-client.ts';
import { prepareScript } from './run-script.ts';

/**
 * `advanceBreaker` in Lua, on the server's clock. KEYS[1]: the breaker's hash.
 * ARGV: now (0: the server's), event, its two values, then the policy.
 */
const script = prepareScript(`
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local event, a, b = ARGV[2], ARGV[3], ARGV[4]
local windowMs, minimum, ratio = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local openMs, maxOpenMs, probeMs = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local names = {'openUntil', 'probeUntil', 'probe', 'openings', 'window',
  'failures', 'successes', 'lastFailures', 'lastSuccesses'}
local values = redis.call('HMGET', KEYS[1], unpack(names))
local s = {}
for i, name in ipairs(names) do
  if name == 'probe' then s[name] = values[i] or '' else s[name] = tonumber(values[i] or 0) end
end
local changed = false
local function open()
  s.openUntil = now + math.min(openMs * 2 ^ math.min(s.openings, 20), maxOpenMs)
  s.openings = s.openings + 1
end
if event == 'settle' and s.probe == a then
  if b == 'success' then
    redis.call('DEL', KEYS[1])
    return {'closed', 0}
  end
  changed = true
  s.probe = ''
  s.probeUntil = 0
  open()
end
if event == 'sync' and s.openUntil == 0 then
  local window = math.floor(now / windowMs)
  if window ~= s.window then
    local follows = window == s.window + 1
    s.lastFailures = follows and s.failures or 0
    s.lastSuccesses = follows and s.successes or 0
    s.failures = 0
    s.successes = 0
    s.window = window
  end
  a, b = tonumber(a), tonumber(b)
  changed = a > 0 or b > 0
  s.failures = s.failures + a
  s.successes = s.successes + b
  local failures = s.failures + s.lastFailures
  local calls = failures + s.successes + s.lastSuccesses
  if a > 0 and failures >= minimum and failures >= ratio * calls then open() end
end
local phase, wait = 'open', 0
if s.openUntil == 0 then phase = 'closed'
elseif now < s.openUntil then wait = s.openUntil - now
elseif now < s.probeUntil then wait = s.probeUntil - now
elseif event == 'admit' then
  phase = 'probe'
  s.probe = a
  s.probeUntil = now + probeMs
  changed = true
end
if changed then
  local fields = {}
  for _, name in ipairs(names) do
    fields[#fields + 1] = name
    fields[#fields + 1] = s[name]
  end
  redis.call('HSET', KEYS[1], unpack(fields))
  local keepMs = 2 * windowMs
  if s.openUntil > 0 then keepMs = math.max(s.openUntil, s.probeUntil) - now + 2 * (maxOpenMs + probeMs) end
  redis.call('PEXPIRE', KEYS[1], math.ceil(keepMs))
end
return {phase, wait}`);

/**
 * Tells Redis of an event and returns the breaker's answer: one round trip, O(1).
 *
 * @param now ms since 1970; 0 for the server's clock.
 */
export async function runBreakerScript(
  client: RedisClient,
  key: string,
  event: BreakerEvent,
  policy: BreakerPolicy,
  now = 0,
): Promise<BreakerAnswer> {
  const values =
    event.type === 'sync'
      ? [event.failures, event.successes]
      : [event.probe, event.type === 'settle' ? event.result : ''];
  const { windowMs, minimumFailures, failureRatio, openMs, maxOpenMs, probeMs } = policy;
  const limits = [windowMs, minimumFailures, failureRatio, openMs, maxOpenMs, probeMs];
  const [phase, waitMs] = (await script(client, [key], [now, event.type, ...values, ...limits])) as [
    BreakerAnswer['phase'],
    number,
  ];
  return { phase, waitMs };
}
