/**
 * How a number gets back what a throughput error has taken, as TCP's CUBIC (RFC 9438) does: in ten seconds nearly to where it failed, since
 * the limit is likely to be there; then carefully past that, and the faster the longer nothing happens. A passing refusal costs seconds, a
 * limit that is lower than we thought is met once in half a minute. A Lua function for the scripts that need it:
 *
 * `recovered(share, cutAt, peak, now)`: what of the rate there is now, when `cutAt` (µs) it was cut down to `share` after it failed at `peak`.
 */
export const recoveredFunction = `
local function recovered(share, cutAt, peak, now)
  local near, passed = math.max(share, peak * 0.95), (now - cutAt) / 10000000
  if passed < 1 then return share + (near - share) * math.max(passed, 0) end
  local beyond = (passed - 1) / 3
  return math.min(1, near + 0.05 * (beyond + beyond ^ 3))
end
`;

/** After so long the whole rate is back, whatever was taken. In µs. */
export const WHOLE_RECOVERY_MICROS = 90_000_000;
