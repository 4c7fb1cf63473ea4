import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createProducer, type JobToAdd } from '@switchyard/jobs';
import { type Simulator, type SimulatorOptions, startSimulator } from '@switchyard/simulator';
import {
  silentLogger,
  startRedis,
  type Teardown,
  type TestDatabase,
  type TestRedis,
  until,
} from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { buildApp, type CampaignSender, loadServiceConfig } from '../src/index.ts';

export const API_KEY = 'test-key-of-the-default-merchant';

/** Stands for ingress: turns the simulator's webhooks into jobs. `hold` keeps statuses back until `release`. */
export interface Ingress {
  url: string;
  add(job: JobToAdd): Promise<void>;
  /** Whether a worker has the job of a message that was asked for by `send-message`. */
  isUnderWay(messageId: string): Promise<boolean>;
  /** Jobs of `messages` that wait or are under way. */
  jobsLeft(): Promise<number>;
  hold(): void;
  release(): Promise<void>;
  /** Ids of messages that statuses have come for. */
  statuses: { id: string; status: string; key: string | undefined }[];
}

interface Value {
  metadata: { phone_number_id: string };
  contacts?: { profile?: { name?: string; username?: string }; wa_id?: string; user_id?: string }[];
  messages?: Record<string, unknown>[];
  statuses?: Record<string, unknown>[];
}

export async function startIngress(t: Teardown, redis: TestRedis): Promise<Ingress> {
  const connection = new Redis(`${redis.url}/1`);
  const producer = createProducer({ connection, prefix: 'bull', logger: silentLogger() });
  let held: JobToAdd[] | undefined;
  const statuses: Ingress['statuses'] = [];
  const add = async (job: JobToAdd) => void (await producer.add(job));

  async function take(value: Value): Promise<void> {
    const phoneNumberId = value.metadata.phone_number_id;
    const common = { merchantId: 'default', phoneNumberId, receivedAtMs: Date.now() };
    if (value.statuses) {
      for (const each of value.statuses)
        statuses.push({
          id: each.id as string,
          status: each.status as string,
          key: each.biz_opaque_callback_data as string | undefined,
        });
      const job: JobToAdd = {
        queue: 'receipts',
        name: 'apply-statuses',
        payload: { ...common, statuses: value.statuses },
      };
      if (held) held.push(job);
      else await add(job);
    }
    for (const [index, message] of (value.messages ?? []).entries()) {
      const profile = value.contacts?.[index];
      await add({
        queue: 'inbound',
        name: 'receive-message',
        payload: {
          ...common,
          eventId: `evt_${String(message.id).replaceAll(/[^A-Za-z0-9]/g, '_')}`,
          message,
          profile: {
            ...(profile?.profile?.name === undefined ? {} : { name: profile.profile.name }),
            ...(profile?.wa_id === undefined ? {} : { waId: profile.wa_id }),
            ...(profile?.user_id === undefined ? {} : { userId: profile.user_id }),
          },
          occurredAtMs: Number(message.timestamp) * 1000,
        },
      });
    }
  }

  let updates = 0;
  async function takeUpdate(wabaId: string, field: string, value: unknown): Promise<void> {
    updates += 1;
    const nowMs = Date.now();
    await add({
      queue: 'receipts',
      name: 'apply-account-update',
      payload: {
        merchantId: 'default',
        eventId: `upd_${updates}`,
        ...{ wabaId, field, value, occurredAtMs: nowMs, receivedAtMs: nowMs },
      },
    });
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as {
        entry: { id: string; changes: { field: string; value: Value }[] }[];
      };
      try {
        for (const { id, changes } of body.entry)
          for (const { field, value } of changes)
            if (field === 'messages') await take(value);
            else await takeUpdate(id, field, value);
        response.end('ok');
      } catch {
        // As ingress does while its queue is away, or while a test ends: the provider comes again.
        response.writeHead(503).end();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await producer.close();
    connection.disconnect();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    add,
    async isUnderWay(messageId) {
      const job = await producer.queue('messages').getJob(messageId);
      return (await job?.isActive()) === true;
    },
    jobsLeft: () =>
      producer.queue('messages').getJobCountByTypes('prioritized', 'waiting', 'active', 'delayed'),
    statuses,
    hold() {
      held = [];
    },
    async release() {
      const jobs = held ?? [];
      held = undefined;
      for (const job of jobs) await add(job);
    },
  };
}

/** Everything around the service: Redis, simulator, ingress. */
export interface Surroundings {
  redis: TestRedis;
  simulator: Simulator;
  ingress: Ingress;
  env: Record<string, string | undefined>;
}

export async function startSurroundings(
  t: Teardown,
  database: TestDatabase,
  { env = {}, simulator: options = {} }: StageOptions = {},
): Promise<Surroundings> {
  const redis = await startRedis(t);
  const ingress = await startIngress(t, redis);
  const simulator = await startSimulator({
    webhookUrl: ingress.url,
    settings: {
      statuses: { sentDelayMs: 5, deliveredDelayMs: 15, readDelayMs: 30 },
      window: { mode: 'off' },
      limits: { pair: false },
    },
    numbers: [{ id: '100000000000001', throughputLevel: 'HIGH' }],
    ...options,
  });
  t.teardown(() => simulator.close());
  return {
    redis,
    simulator,
    ingress,
    env: {
      NODE_ENV: 'test',
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'warn',
      REDIS_URL: redis.url,
      DATABASE_URL: database.url,
      DATA_DIR: database.dataDir,
      SWITCHYARD_API_KEY: API_KEY,
      WHATSAPP_API_URL: simulator.url,
      WHATSAPP_PHONE_NUMBER_ID: simulator.credentials.phoneNumberId,
      WHATSAPP_ACCESS_TOKEN: simulator.credentials.accessToken,
      WHATSAPP_MESSAGES_PER_SECOND: '1000',
      SEND_HTTP_TIMEOUT_MS: '600',
      // Most tests have one person, who gets more than the provider would allow; the simulator's limit is off, too.
      SEND_PAIR_INTERVAL_MS: '0',
      SEND_UNKNOWN_GRACE_MS: '1500',
      // On a busy machine a test's own process is late; it must not be told so instead of an answer.
      MAX_EVENT_LOOP_DELAY_MS: '0',
      ...env,
    },
  };
}

export interface StageOptions {
  /** None unless said. */
  logger?: Logger;
  /** Events that the default merchant's endpoints want: all, unless said otherwise; null: nobody has said. */
  subscriptions?: string[] | null;
  env?: Record<string, string | undefined>;
  simulator?: SimulatorOptions;
}

/** The service in this process, and everything around it. */
export interface Stage extends Surroundings {
  service: CampaignSender;
  /** Calls the API as the default merchant. */
  call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** Announces which events the default merchant wants. */
  subscribe(eventTypes: string[]): Promise<void>;
  /** Opens the 24-hour window of a person. @returns the contact's id. */
  greet(phone: string): Promise<string>;
  /** Jobs added to a queue of another service by all that is committed, as payloads. */
  queued(
    queue: 'flows' | 'webhooks' | 'notifications' | 'control',
  ): Promise<{ name: string; payload: Record<string, unknown> }[]>;
}

export interface Answer {
  status: number;
  headers: Record<string, unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  body: any;
}

export async function startStage(
  t: Teardown,
  database: TestDatabase,
  options: StageOptions = {},
): Promise<Stage> {
  const around = await startSurroundings(t, database, options);
  const service = await buildApp(loadServiceConfig(around.env), {
    logger: options.logger ?? silentLogger(),
  });
  t.teardown(() => service.close());
  await service.start();
  const stage = attach(t, around, service);
  if (options.subscriptions !== null) await stage.subscribe(options.subscriptions ?? ['*']);
  return stage;
}

function attach(t: Teardown, around: Surroundings, service: CampaignSender): Stage {
  const connection = new Redis(`${around.redis.url}/1`);
  t.teardown(() => connection.disconnect());
  const { db } = service.database;
  let greetings = 0;
  let version = 0;
  return {
    ...around,
    service,
    async call(method, url, body, headers = {}) {
      const response = await service.app.inject({
        method,
        url,
        headers: { authorization: `Bearer ${API_KEY}`, ...headers },
        ...(body === undefined ? {} : { payload: body as object }),
      });
      const isJson = String(response.headers['content-type']).startsWith('application/json');
      return {
        status: response.statusCode,
        body: isJson ? response.json() : response.rawPayload,
        headers: response.headers,
      };
    },
    async subscribe(eventTypes) {
      version += 1;
      await around.ingress.add({
        queue: 'contacts',
        name: 'set-subscriptions',
        payload: { merchantId: 'default', version, eventTypes },
      });
      for (;;) {
        const row = await db.selectFrom('event_subscriptions').select('version').executeTakeFirst();
        if (row?.version === version) return;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    async greet(phone) {
      greetings += 1;
      around.simulator.inject({ from: phone, text: `hi ${greetings}` });
      for (;;) {
        const row = await db
          .selectFrom('contact_identifiers as i')
          .innerJoin('conversations as v', 'v.contactId', 'i.contactId')
          .select('i.contactId')
          .where('i.value', '=', `+${phone}`)
          .executeTakeFirst();
        if (row) return row.contactId;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async queued(queue) {
      // Committed jobs are added in the background.
      await until(async () => (await service.outbox.pending()) === 0, {
        what: 'every committed job to be added',
        timeoutMs: 30_000,
      });
      const keys = await connection.keys(`bull:${queue}:*`);
      const found = [];
      for (const key of keys) {
        if ((await connection.type(key)) !== 'hash' || key.endsWith(':meta')) continue;
        const [name, data] = await connection.hmget(key, 'name', 'data');
        if (name && data)
          found.push({ name, payload: (JSON.parse(data) as { payload: Record<string, unknown> }).payload });
      }
      return found;
    },
  };
}
