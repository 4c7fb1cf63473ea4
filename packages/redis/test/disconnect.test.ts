import { freePort, silentLogger, until } from '@switchyard/test-kit';
import type { Redis } from 'ioredis';
import t from 'tap';
import { connectRedis } from '../src/index.ts';
import { settingsOf } from './helper.ts';

t.test(
  'a client that is disconnected while it waits to reconnect ends, and answers what waits',
  async (t) => {
    const { queue } = settingsOf({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    const client = connectRedis(queue, { profile: 'worker', logger: silentLogger() }) as Redis;
    const duplicate = client.duplicate({ maxRetriesPerRequest: null });
    duplicate.on('error', () => undefined);
    for (const each of [client, duplicate]) {
      t.teardown(() => each.disconnect());
      await until(() => each.status === 'reconnecting', { what: 'it waits to reconnect' });
      const waiting = t.rejects(each.ping(), { message: 'Connection is closed.' });
      const end = new Promise((resolve) => each.once('end', resolve));
      each.disconnect();
      await Promise.all([end, waiting]);
      t.equal(each.status, 'end');
    }
  },
);
