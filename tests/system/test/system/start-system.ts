import { type SettingsPatch, type Simulator, startSimulator } from '@switchyard/simulator';
import { startRedis, type Teardown, type TestDatabase, type TestRedis } from '@switchyard/test-kit';
import { createServiceInstance, type ServiceInstance } from './service-instance.ts';
import { createSecrets, type Secrets, type ServiceName, serviceNames } from './settings.ts';

/** The whole of Switchyard, as real processes, with the provider in this one. */
export interface System {
  readonly simulator: Simulator;
  readonly redis: TestRedis;
  readonly secrets: Secrets;
  /** Every replica. */
  readonly instances: readonly ServiceInstance[];
  replicasOf(service: ServiceName): ServiceInstance[];
  /** Calls a service's API as the default merchant. @returns `data`. @throws Error when it refuses. */
  api<T>(service: ServiceName, path: string, body?: object): Promise<T>;
}

/** What differs between systems. */
export interface SystemOptions {
  database: TestDatabase;
  replicas?: Partial<Record<ServiceName, number>>;
  simulator?: SettingsPatch;
  env?: Record<string, string>;
}

/** Starts a Redis with an append-only file, the simulator and all services; everything ends with the test. */
export async function startSystem(t: Teardown, options: SystemOptions): Promise<System> {
  const { database, replicas = {}, env: more = {} } = options;
  const secrets = createSecrets();
  const redis = await startRedis(t, { aof: true });
  const simulator = await startSimulator({
    accessToken: secrets.WHATSAPP_ACCESS_TOKEN,
    appSecret: secrets.WHATSAPP_APP_SECRET,
    verifyToken: secrets.WHATSAPP_VERIFY_TOKEN,
    settings: {
      limits: { throughput: false, pair: false },
      // A receiver that was away is asked again soon, as the test can't wait as long as a provider does.
      webhooks: { retryBaseMs: 200, retryMaxMs: 1000 },
      statuses: { sentDelayMs: 20, deliveredDelayMs: 60, readDelayMs: 120 },
      ...options.simulator,
    },
  });
  t.teardown(() => simulator.close());
  const env = {
    NODE_ENV: 'development',
    HOST: '127.0.0.1',
    REDIS_URL: redis.url,
    DATABASE_URL: database.url,
    DATA_DIR: database.dataDir,
    WHATSAPP_API_URL: simulator.url,
    SHOPIFY_API_URL: `${simulator.url}/shopify`,
    WHATSAPP_PHONE_NUMBER_ID: simulator.credentials.phoneNumberId,
    WHATSAPP_MESSAGES_PER_SECOND: '1000',
    WEBHOOK_ALLOW_PRIVATE_NETWORKS: 'true',
    SEND_HTTP_TIMEOUT_MS: '2000',
    SEND_UNKNOWN_GRACE_MS: '5000',
    // Where the simulator allows any number of messages to one person, so does the sender: people talk fast here.
    ...(options.simulator?.limits?.pair ? {} : { SEND_PAIR_INTERVAL_MS: '0' }),
    ...secrets,
    ...more,
  };
  const instances: ServiceInstance[] = [];
  for (const service of serviceNames)
    for (let replica = 0; replica < (replicas[service] ?? 1); replica++)
      instances.push(await createServiceInstance(t, service, env));
  await Promise.all(instances.map((instance) => instance.start()));
  const replicasOf = (service: ServiceName) => instances.filter((each) => each.service === service);
  simulator.changeSettings({ webhooks: { url: `${replicasOf('ingress')[0]?.url}/webhooks/whatsapp` } });

  return {
    simulator,
    redis,
    secrets,
    instances,
    replicasOf,
    async api<T>(service: ServiceName, path: string, body?: object): Promise<T> {
      const response = await fetch(`${replicasOf(service)[0]?.url}${path}`, {
        headers: {
          authorization: `Bearer ${secrets.SWITCHYARD_API_KEY}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      });
      const answer = (await response.json()) as { success: boolean; data: T };
      if (!answer.success) throw new Error(`${path} answered ${response.status}: ${JSON.stringify(answer)}`);
      return answer.data;
    },
  };
}
