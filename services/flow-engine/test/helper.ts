import { randomBytes } from 'node:crypto';
import type { JobPayload, Producer, QueueName } from '@switchyard/jobs';
import { silentLogger, startRedis, type Teardown, type TestRedis, until } from '@switchyard/test-kit';
import { buildApp } from '../src/app.ts';
import type { CallExecutors } from '../src/calls/call.ts';
import { loadFlowEngineConfig } from '../src/config.ts';

export const apiKey = 'sk_test_0123456789abcdef0123456789';

export type FlowEvent = JobPayload<'flows', 'handle-event'>;

/** The environment of a flow-engine on this Redis and this database. */
export function environment(
  redis: { url: string },
  database: { url: string | undefined; dataDir: string },
  env: Record<string, string> = {},
): Record<string, string> {
  return {
    NODE_ENV: 'test',
    PORT: '0',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
    REDIS_URL: redis.url,
    DATA_DIR: database.dataDir,
    ...(database.url === undefined ? {} : { DATABASE_URL: database.url }),
    SWITCHYARD_API_KEY: apiKey,
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    // On a busy machine a test's own process is late; it must not be told so instead of an answer.
    MAX_EVENT_LOOP_DELAY_MS: '0',
    ...env,
  };
}

/** A running flow-engine. */
export async function startEngine(
  t: Teardown,
  database: { url: string | undefined; dataDir: string },
  options: { redis?: TestRedis; env?: Record<string, string>; executors?: CallExecutors } = {},
) {
  const redis = options.redis ?? (await startRedis(t));
  const config = loadFlowEngineConfig(environment(redis, database, options.env));
  const runtime = await buildApp(config, {
    logger: silentLogger(),
    ...(options.executors === undefined ? {} : { executors: options.executors }),
  });
  t.teardown(() => runtime.close());
  await runtime.start();
  const call = async (
    method: 'GET' | 'POST' | 'PUT',
    url: string,
    payload?: Record<string, unknown>,
  ): Promise<{
    status: number;
    data: never;
    error: { code: string; message: string; details?: { problems: { node?: string }[] } };
  }> => {
    const response = await runtime.app.inject({
      method,
      url,
      headers: { authorization: `Bearer ${apiKey}` },
      ...(payload === undefined ? {} : { payload }),
    });
    return { status: response.statusCode, ...(response.json() as object) } as never;
  };
  const tell = (event: FlowEvent) =>
    runtime.producer.add({ queue: 'flows', name: 'handle-event', payload: event });
  /** Creates a flow and publishes it. */
  const publish = async (definition: Record<string, unknown>): Promise<string> => {
    const created = await call('POST', '/api/v1/flows', { definition });
    if (created.status !== 201) throw new Error(created.error.message);
    const { id } = (created.data as { flow: { id: string } }).flow;
    const published = await call('POST', `/api/v1/flows/${id}/publish`);
    if (published.error) throw new Error(published.error.message);
    return id;
  };
  return { runtime, redis, call, tell, publish };
}

export type Engine = Awaited<ReturnType<typeof startEngine>>;

/** A message of a person, as campaign-sender passes it on. */
export function message(
  contactId: string,
  sequence: number,
  text: string,
  overrides: Partial<FlowEvent> = {},
): FlowEvent {
  const now = Date.now();
  return {
    merchantId: 'default',
    eventId: `evt_${contactId}_${sequence}`,
    kind: 'message',
    name: 'message.received',
    contact: {
      id: contactId,
      address: phoneOf(contactId),
      phone: phoneOf(contactId),
      name: 'Ada',
      optedOut: false,
    },
    sequence,
    senderId: 'snd_1',
    content: { type: 'text', text },
    occurredAtMs: now,
    acceptedAtMs: now,
    ...overrides,
  };
}

/** A phone number for a contact of a test. */
export function phoneOf(contactId: string): string {
  return `+1555${contactId.replaceAll(/\D/g, '').padStart(7, '0')}`;
}

/** What was asked of `messages` by all that is committed, by recipient, in the order of the steps. */
export async function sentTexts(engine: Pick<Engine, 'runtime'>): Promise<Map<string, string[]>> {
  await added(engine);
  const jobs = await engine.runtime.producer
    .queue('messages')
    .getJobs(['wait', 'prioritized', 'delayed', 'active', 'completed'], 0, -1);
  const found = jobs.flatMap((job) => requestsOf(job.data));
  // A request may be in two jobs, alone and with others: campaign-sender knows it by its id.
  const once = new Map(found.map((request) => [request.messageId, request]));
  const byContact = Map.groupBy(once.values(), ({ to }) => to);
  return new Map(
    [...byContact].map(([to, payloads]) => [
      to,
      // Ids of runs sort by time; those of steps are numbers.
      payloads
        .sort((a, b) => {
          const [runA, stepA] = splitId(a.messageId!);
          const [runB, stepB] = splitId(b.messageId!);
          return runA < runB ? -1 : runA > runB ? 1 : stepA - stepB;
        })
        .map(({ content }) => textOf(content)),
    ]),
  );
}

/** The ids of the messages that jobs which nobody has taken up ask for. */
export async function requestsWaiting(producer: Pick<Producer, 'queue'>): Promise<Set<string>> {
  const jobs = await producer.queue('messages').getJobs(['wait', 'prioritized'], 0, -1);
  return new Set(jobs.flatMap((job) => requestsOf(job?.data).map(({ messageId }) => messageId!)));
}

/** What a job of `messages` asks for, alone or with others. */
export function requestsOf(data: unknown): JobPayload<'messages', 'send-message'>[] {
  const { payload } = data as {
    payload: JobPayload<'messages', 'send-message'> | JobPayload<'messages', 'send-messages'>;
  };
  return 'messages' in payload ? payload.messages.map(({ message }) => message) : [payload];
}

function splitId(id: string): [run: string, step: number] {
  const at = id.lastIndexOf('_');
  return [id.slice(0, at), Number(id.slice(at + 1))];
}

function textOf(content: JobPayload<'messages', 'send-message'>['content']): string {
  if (typeof content === 'string') return content;
  const { body } = content as { body: string | { text: string } };
  return typeof body === 'string' ? body : body.text;
}

/**
 * Resolves when every event has been applied: no job on its way to a queue, none in this service's queue, none in an inbox. It looks
 * twice, since what goes from one to the next between two looks is seen by neither.
 */
export async function settled({ runtime }: Pick<Engine, 'runtime'>, timeoutMs = 30_000): Promise<void> {
  const { db } = runtime.database;
  const isIdle = async () => {
    if ((await runtime.outbox.pending()) > 0) return false;
    const counts = await runtime.producer
      .queue('flows')
      .getJobCounts('wait', 'active', 'delayed', 'prioritized');
    if (Object.values(counts).some((count) => count > 0)) return false;
    return !(await db.selectFrom('inbox').select('id').limit(1).executeTakeFirst());
  };
  await until(async () => (await isIdle()) && (await isIdle()), {
    what: 'every event to be applied',
    timeoutMs,
    intervalMs: 50,
  });
}

/** Resolves when every job that was committed has been added to its queue, which happens in the background. */
async function added({ runtime }: Pick<Engine, 'runtime'>): Promise<void> {
  await until(async () => (await runtime.outbox.pending()) === 0, {
    what: 'every committed job to be added',
    timeoutMs: 30_000,
  });
}

/** An event that is no message. */
export function happening(
  contactId: string,
  sequence: number,
  kind: 'shopify' | 'custom' | 'contact',
  name: string,
  body: unknown,
  overrides: Partial<FlowEvent> = {},
): FlowEvent {
  const { content: _, ...event } = message(contactId, sequence, '');
  return { ...event, kind, name, body: JSON.stringify(body), ...overrides };
}

/** The payloads of the jobs that lie in a queue, by name, with those of all that is committed; joined requests one by one. */
export async function jobsIn<Q extends QueueName>(
  engine: Pick<Engine, 'runtime'>,
  queue: Q,
): Promise<{ name: string; payload: Record<string, never> }[]> {
  await added(engine);
  const jobs = await engine.runtime.producer
    .queue(queue)
    .getJobs(['wait', 'prioritized', 'delayed'], 0, -1, true);
  return jobs.flatMap(({ name, data }) =>
    name === 'send-messages'
      ? requestsOf(data).map((payload) => ({ name: 'send-message', payload: payload as never }))
      : [{ name, payload: (data as { payload: never }).payload }],
  );
}
