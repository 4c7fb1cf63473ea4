/**
 * Slots that nobody could ask for in time can still be had for a while. A Lua function for the scripts that need it:
 *
 * `goOn(tat, next, arrears, now)`: the time that a number's next slot counts from, where `tat` is what has been reserved so far and `next` is
 * when its latest slot was. A number that is in demand all the time loses only what is longer past than `arrears`: many short stops add up to
 * that. One that was idle has nothing to make up for. All in µs.
 */
export const goOnFunction = `
local function goOn(tat, next, arrears, now)
  if tat >= now - arrears then return tat end
  if next >= now - arrears then return now - arrears end
  return now
end
`;
