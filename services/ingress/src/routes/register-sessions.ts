import type { RedisClient } from '@switchyard/redis';
import { ok, routeUnknown, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { sessionUnknown } from '../errors.ts';
import { withinDeadline } from '../intake/within-deadline.ts';

const SESSIONS = 'wh:session:';
const LOOK_WITHIN_MS = 1000;
/** More keys than this are not counted: the answer is for people. */
const COUNTED_KEYS = 100_000;

const Health = Type.Object({
  redis: Type.Object({ connected: Type.Boolean() }),
  /** Conversations in Redis now; null while it can't be asked. */
  sessions: Type.Object({ count: Type.Union([Type.Integer(), Type.Null()]), isComplete: Type.Boolean() }),
  timestamp: Type.String(),
});

/** `GET` and `POST /api/health`: Redis and sessions (R5.2). The cache role holds the sessions; flow-engine writes them. */
export async function registerSessions(
  app: ServiceApp,
  settings: { client: RedisClient; keyPrefix: string; production: boolean },
): Promise<void> {
  const { client, keyPrefix, production } = settings;
  const tags = ['sessions'];

  app.get('/api/health', { schema: { tags, response: { 200: ok(Health) } } }, async () => {
    const counted = await withinDeadline(countSessions(), LOOK_WITHIN_MS, () => new Error('too slow')).catch(
      () => undefined,
    );
    return succeed({
      redis: { connected: counted !== undefined },
      sessions: { count: counted?.count ?? null, isComplete: counted?.isComplete ?? false },
      timestamp: new Date().toISOString(),
    });
  });

  app.post(
    '/api/health',
    { schema: { tags, body: Type.Object({ phone: Type.String({ pattern: '^\\+?[0-9]{3,20}$' }) }) } },
    async (request) => {
      // It shows what a person said to anyone who asks: never in production, where it must look as if it were not there.
      if (production) throw routeUnknown('there is no such route');
      const phone = request.body.phone.startsWith('+') ? request.body.phone : `+${request.body.phone}`;
      const text = await client.get(`${keyPrefix}${SESSIONS}${phone}`);
      if (text === null) throw sessionUnknown('there is no session for this phone');
      return succeed({ phone, session: JSON.parse(text) as unknown });
    },
  );

  async function countSessions(): Promise<{ count: number; isComplete: boolean }> {
    let count = 0;
    let scanned = 0;
    for (const node of 'nodes' in client ? client.nodes('master') : [client]) {
      let cursor = '0';
      do {
        const [next, keys] = await node.scan(cursor, 'MATCH', `${keyPrefix}${SESSIONS}*`, 'COUNT', 1000);
        cursor = next;
        count += keys.length;
        scanned += 1000;
        if (scanned >= COUNTED_KEYS && cursor !== '0') return { count, isComplete: false };
      } while (cursor !== '0');
    }
    return { count, isComplete: true };
  }
}
