import { prepareScript, type RedisClient } from '@switchyard/redis';
import type { Logger } from 'pino';
import { createBatch } from './create-batch.ts';
import { createTurnEnd } from './create-turn-end.ts';
import { withinDeadline } from './within-deadline.ts';

/** How long one look into the deduplication Redis may take. A request does two, and must be answered within 2 s. */
const DEADLINE_MS = 250;
/** After a failure it is left alone for so long: a hung Redis must not cost every request its deadline. */
const PAUSE_MS = 1000;

/** One command of many keys costs a fraction of as many commands, here and in Redis. */
const remember = prepareScript(`
for _, key in ipairs(KEYS) do
  redis.call('SET', key, '1', 'EX', ARGV[1])
end
return #KEYS
`);

const nothing: ReadonlySet<string> = new Set();

/** What ingress remembers of events that are safely queued. Fails open: the queue and the consumer absorb repeats too. */
export interface SeenEvents {
  /** Which of these were queued before. Empty while Redis is away. */
  find(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Remembers ids, after their jobs were added and never before: a crash in between must leave the event to the provider's retry. */
  remember(ids: readonly string[]): Promise<void>;
}

/**
 * Remembers events as `done:<id>` in the Redis of the dedup role. Webhooks that come at the same time are looked up together.
 *
 * @param settings.keyPrefix of the role; on a cluster it puts all keys into one slot.
 * @param settings.ttlSeconds `REDIS_TTL_SECONDS`.
 */
export function createSeenEvents(settings: {
  client: RedisClient;
  keyPrefix: string;
  ttlSeconds: number;
  logger: Logger;
}): SeenEvents {
  const { client, ttlSeconds, logger } = settings;
  // Looking and remembering of one turn leave in one write.
  const later = createTurnEnd(client);
  const keyOf = (id: string) => `${settings.keyPrefix}done:${id}`;
  let pausedUntilMs = 0;

  async function open<T>(work: () => Promise<T>, fallback: T): Promise<T> {
    if (client.status !== 'ready' || performance.now() < pausedUntilMs) return fallback;
    try {
      return await withinDeadline(work(), DEADLINE_MS, () => new Error('no answer in time'));
    } catch (error) {
      pausedUntilMs = performance.now() + PAUSE_MS;
      logger.warn(
        { err: error },
        '⚠️  Redis unavailable (dedup): repeats are absorbed by the queue and the consumers',
      );
      return fallback;
    }
  }

  const look = createBatch(
    (ids: readonly string[]) =>
      open(async () => {
        const found = await client.mget(ids.map(keyOf));
        return new Set(ids.filter((_id, index) => found[index] !== null));
      }, nothing),
    { later },
  );
  const note = createBatch(
    (ids: readonly string[]) =>
      open(async () => {
        await remember(client, ids.map(keyOf), [ttlSeconds]);
      }, undefined),
    { later },
  );

  return {
    async find(ids) {
      if (ids.length === 0) return nothing;
      const seen = await look(ids);
      // Others' ids came along.
      return seen.size === 0 ? nothing : new Set(ids.filter((id) => seen.has(id)));
    },
    async remember(ids) {
      if (ids.length > 0) await note(ids);
    },
  };
}
