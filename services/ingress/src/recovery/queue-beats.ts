import { prepareScript, type RedisClient } from '@switchyard/redis';

/** More runs than this are remembered only as long as somebody may still ask for them. */
const RUNS_KEPT = 64;
const RUNS_KEPT_MS = 3_600_000;

/**
 * One atomic look, at the node that holds the queues. A run is one life of one Redis process in one line of replication: it changes with
 * each start and each fail-over. Where it is the one we know, our time is written under it.
 */
const script = prepareScript(`
local function read(section, name)
  return string.match(redis.call('INFO', section), name .. ':(%w+)') or ''
end
local run = read('server', 'run_id') .. '.' .. read('replication', 'master_replid')
if run ~= ARGV[1] then
  return {run, redis.call('HGETALL', KEYS[1])}
end
redis.call('HSET', KEYS[1], run, ARGV[2])
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[3]) then
  local beats = redis.call('HGETALL', KEYS[1])
  for at = 1, #beats, 2 do
    if tonumber(beats[at + 1]) < tonumber(ARGV[4]) then redis.call('HDEL', KEYS[1], beats[at]) end
  end
end
return {run}
`);

/** What the queue's Redis says of itself. */
export interface QueueLook {
  /** Which run it is. */
  readonly run: string;
  /** Where it is not the one we know: the last times that it remembers, by run. */
  readonly beats: ReadonlyMap<string, number>;
}

/** Looks which run of the queue's Redis this is; where we know it, leaves our time there. */
export async function beatQueue(
  client: RedisClient,
  key: string,
  known: string | undefined,
  nowMs: number,
): Promise<QueueLook> {
  const answer = await script(client, [key], [known ?? '', nowMs, RUNS_KEPT, nowMs - RUNS_KEPT_MS]);
  const [run, flat = []] = answer as [string, string[]?];
  const beats = new Map<string, number>();
  for (let at = 0; at + 1 < flat.length; at += 2) beats.set(flat[at]!, Number(flat[at + 1]));
  return { run, beats };
}

/**
 * Up to when this Redis remembers all that it acknowledged. Its log, as the stream to its replicas, ends somewhere and has no gaps:
 * where it remembers a time that we left, it remembers all that came before it.
 *
 * @param known the run that we knew last.
 * @returns undefined where it remembers nothing of us: it is empty.
 */
export function rememberedUntil({ run, beats }: QueueLook, known: string): number | undefined {
  const exact = beats.get(known);
  if (exact !== undefined) return exact;
  // That run ended before a time of it was safe; what it was built on is.
  const earlier = [...beats].filter(([each]) => each !== run).map(([, atMs]) => atMs);
  return earlier.length === 0 ? undefined : Math.max(...earlier);
}
