import { type BudgetReport, generationMs } from './budget-state.ts';
import type { RedisClient } from './redis-client.ts';
import { prepareScript } from './run-script.ts';

/**
 * `takeBudget` and `updateBudget` in Lua, on the server's clock. KEYS[1]: the bucket's hash.
 * ARGV: now (0: the server's), 'take', cost, longest wait, assumed maximum, assumed restore rate;
 * or now, 'update', available, settled cost ('' when unknown), maximum, restore rate.
 */
const script = prepareScript(`
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local names = {'milli', 'maximum', 'restore', 'at', 'generation', 'pending', 'lastPending'}
local values = redis.call('HMGET', KEYS[1], unpack(names))
local s = {}
if values[1] then
  for i, name in ipairs(names) do s[name] = tonumber(values[i]) end
else
  s.maximum, s.restore = tonumber(ARGV[5]), tonumber(ARGV[6])
  s.milli, s.at, s.generation = s.maximum * 1000, now, math.floor(now / ${generationMs})
  s.pending, s.lastPending = 0, 0
end
s.milli = math.min(s.maximum * 1000, s.milli + math.floor(math.max(0, now - s.at) * s.restore))
s.at = math.max(s.at, now)
local generation = math.floor(s.at / ${generationMs})
if generation ~= s.generation then
  s.lastPending = generation == s.generation + 1 and s.pending or 0
  s.pending, s.generation = 0, generation
end
local wait = 0
if ARGV[2] == 'take' then
  local cost = tonumber(ARGV[3])
  local missing = cost * 1000 - s.milli
  if missing > 0 then wait = math.ceil(missing / s.restore) end
  if wait > tonumber(ARGV[4]) or cost > s.maximum then return {wait, s.maximum} end
  s.milli = s.milli - cost * 1000
  s.pending = s.pending + cost
else
  local available, settled = tonumber(ARGV[3]), tonumber(ARGV[4])
  s.maximum, s.restore = tonumber(ARGV[5]), tonumber(ARGV[6])
  if settled then
    local fromPending = math.min(s.pending, settled)
    s.pending = s.pending - fromPending
    s.lastPending = math.max(0, s.lastPending - (settled - fromPending))
    s.milli = (available - s.pending - s.lastPending) * 1000
  else
    s.milli = math.min(s.milli, available * 1000)
  end
end
local fields = {}
for _, name in ipairs(names) do
  fields[#fields + 1] = name
  fields[#fields + 1] = s[name]
end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('PEXPIRE', KEYS[1], math.ceil(2 * ${generationMs} + s.maximum * 2000 / s.restore))
return {wait, s.maximum}`);

/** Books points for a call. One round trip. @returns ms to wait, and the size of the bucket as far as known. */
export async function runTakeScript(
  client: RedisClient,
  key: string,
  cost: number,
  maxWaitMs: number,
  assumed: Omit<BudgetReport, 'available'>,
  now = 0,
): Promise<{ waitMs: number; maximum: number }> {
  const args = [now, 'take', cost, maxWaitMs, assumed.maximum, assumed.restorePerSecond];
  const [waitMs, maximum] = (await script(client, [key], args)) as [number, number];
  return { waitMs, maximum };
}

/** Tells what the provider said. One round trip. */
export async function runUpdateScript(
  client: RedisClient,
  key: string,
  report: BudgetReport,
  settledCost: number | undefined,
  now = 0,
): Promise<void> {
  const { available, maximum, restorePerSecond } = report;
  await script(client, [key], [now, 'update', available, settledCost ?? '', maximum, restorePerSecond]);
}
