import type { RedisClient } from './redis-client.ts';

/**
 * Whether Redis answers a PING now. Never throws and never takes longer than the time given, also when the
 * server hangs or the client would queue commands.
 *
 * @param timeoutMs 1000 by default.
 */
export async function checkRedisHealth(client: RedisClient, timeoutMs = 1000): Promise<boolean> {
  if (client.status !== 'ready') return false;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, false);
  });
  const answered = client.ping().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
}
