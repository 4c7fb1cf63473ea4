import { hostname } from 'node:os';
import { ConfigError } from '@switchyard/config';
import {
  createLeases,
  createSecretBox,
  type Database,
  databaseFields,
  type Leases,
  type Migration,
  openDatabase,
  type SecretBox,
} from '@switchyard/database';
import {
  createProducer,
  type Processors,
  type Producer,
  type QueueName,
  resolveQueueOverrides,
  type ServiceName,
} from '@switchyard/jobs';
import {
  createFailedJobs,
  createOutbox,
  createProcessedJobs,
  type FailedJobs,
  type JoinJobs,
  type Outbox,
  type ProcessedJobs,
} from '@switchyard/outbox';
import {
  bullPrefix,
  type Cache,
  createCache,
  createLocks,
  type Locks,
  type RedisSettings,
  resolveRedisSettings,
} from '@switchyard/redis';
import {
  buildServiceApp,
  createCloser,
  createLogger,
  createMetrics,
  createTokenVerifier,
  type Metrics,
  type ServiceApp,
} from '@switchyard/service-kit';
import type { Logger } from 'pino';
import { type AuditTables, createAuditLog } from './audit-log.ts';
import { connectRoles, type RoleClients } from './connect-roles.ts';
import { createId } from './create-id.ts';
import { workersStuck } from './errors.ts';
import { registerFailedJobs } from './failed-jobs-routes.ts';
import { createForgetPerson, type ForgetPerson } from './forget-person.ts';
import { createHealthSource } from './health.ts';
import { listen } from './listen.ts';
import { createPeriodicTasks, type PeriodicTask } from './periodic-tasks.ts';
import type { RuntimeConfig } from './runtime-fields.ts';
import { sharedMigrations } from './shared-migrations.ts';
import { DEFAULT_MERCHANT_ID } from './whatsapp-fields.ts';
import { createWorkerPool } from './worker-pool.ts';

/** What a runtime is made from. */
export interface RuntimeOptions<C extends RuntimeConfig> {
  service: ServiceName;
  version: string;
  config: C;
  /** The service's own tables; those of outbox, processed jobs, failed jobs, leases and audit come with the runtime. */
  migrations: Record<string, Migration>;
  /** For jobs of this service that one job can stand for. */
  joinJobs?: JoinJobs;
  /** Default: JSON lines on the standard output at the configured level. */
  logger?: Logger;
}

/** What a service stands on. Everything in it is closed by `close()`, in the reverse order of its opening. */
export interface Runtime<DB, C extends RuntimeConfig = RuntimeConfig> {
  readonly config: C;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Add routes before `start()`. */
  readonly app: ServiceApp;
  readonly database: Database<DB>;
  /** Clients that fail fast. */
  readonly redis: RoleClients;
  readonly redisSettings: RedisSettings;
  /** BullMQ's key prefix in the queue role. */
  readonly bullPrefix: string;
  readonly producer: Producer;
  readonly outbox: Outbox<DB>;
  readonly processedJobs: ProcessedJobs<DB>;
  readonly failedJobs: FailedJobs;
  readonly forgetPerson: ForgetPerson;
  readonly leases: Leases;
  readonly cache: Cache;
  readonly locks: Locks;
  readonly secretBox: SecretBox;
  /** Names this process where a lease or a row must say who holds it. */
  readonly instanceId: string;
  /** Adds the worker of a queue; started by `start()`. */
  addWorker<Q extends QueueName>(queue: Q, processors: Processors<Q>): void;
  /** Adds work that is done again and again; started by `start()`. */
  addTask(task: PeriodicTask): void;
  /** Registers what the service has opened itself. */
  onClose(name: string, close: () => unknown): void;
  /** Sweeper, workers, tasks, then the port. Resolves when the service is ready. */
  start(): Promise<void>;
  /** Stops listening, then workers and tasks, then what they used. Safe to call twice. */
  close(): Promise<void>;
  /** What is not closed yet, so that a forced exit can name it. */
  open(): string[];
}

const HOUR_MS = 3_600_000;

/** How often the process looks whether its workers get on. */
const WATCHDOG_INTERVAL_MS = 5000;

/**
 * Opens everything that a service stands on and checks it: Redis, the database with its migrations, producer, outbox, HTTP.
 *
 * @throws ConfigError one line that names the variable; whatever was open is closed then.
 */
export async function createRuntime<DB, C extends RuntimeConfig = RuntimeConfig>(
  options: RuntimeOptions<C>,
): Promise<Runtime<DB, C>> {
  const { service, version, config } = options;
  const logger = options.logger ?? createLogger({ service, level: config.logLevel });
  const closer = createCloser();
  try {
    return await open<DB, C>({ ...options, service, version, config, logger }, closer);
  } catch (error) {
    await closer.close(logger);
    throw error;
  }
}

async function open<DB, C extends RuntimeConfig>(
  { service, version, config, migrations, joinJobs, logger }: RuntimeOptions<C> & { logger: Logger },
  closer: ReturnType<typeof createCloser>,
): Promise<Runtime<DB, C>> {
  const production = config.environment === 'production';
  if (production && config.encryptionKeys === databaseFields.encryptionKeys.options.default)
    throw new ConfigError('ENCRYPTION_KEYS', "must be the installation's own in production");
  const redisSettings = resolveRedisSettings(config);
  const overrides = resolveQueueOverrides(config);
  const secretBox = createSecretBox(config.encryptionKeys);
  const verifier = createTokenVerifier({
    publicKeys: config.tokenPublicKey,
    apiKey: config.apiKey,
    defaultMerchantId: DEFAULT_MERCHANT_ID,
  });
  const metrics = createMetrics({ service });
  const instanceId = createId(
    hostname()
      .replaceAll(/[^A-Za-z0-9]/g, '')
      .slice(0, 32) || 'host',
  );

  const [redis, database] = await settleBoth(
    connectRoles(redisSettings, { production, logger, metrics, closer }),
    openDatabase<DB>({
      service,
      url: config.databaseUrl,
      dataDir: config.dataDir,
      poolSize: config.databasePoolSize,
      migrations: { ...sharedMigrations, ...migrations },
      logger,
    }).then((opened) => {
      closer.add('database', () => opened.close());
      return opened;
    }),
  );

  const prefix = bullPrefix(redisSettings.queue);
  const cache = createCache({ client: redis.cache, logger, namespace: service });
  closer.add('cache', () => cache.close());
  const locks = createLocks({ client: redis.cache, logger });
  const producer = createProducer({ connection: redis.queue, prefix, overrides, logger });
  closer.add('producer', () => producer.close());
  const outbox = createOutbox<DB>({
    database,
    producer,
    logger,
    ...(joinJobs ? { join: joinJobs } : {}),
  });
  closer.add('outbox', () => outbox.close());
  const processedJobs = createProcessedJobs({ database });
  const failedJobs = createFailedJobs({ database, producer, outbox });
  const leases = createLeases(database);
  const auditLog = createAuditLog(database as unknown as Database<AuditTables>, () => createId('aud'));

  const tasks = createPeriodicTasks(logger);
  closer.add('tasks', () => tasks.close());
  tasks.add({
    name: 'purge processed jobs',
    intervalMs: HOUR_MS,
    run: async () => void (await processedJobs.purge()),
  });
  tasks.add({
    name: 'purge retried failed jobs',
    intervalMs: HOUR_MS,
    run: async () => void (await failedJobs.purgeRetried(30 * 24 * HOUR_MS)),
  });
  tasks.add({ name: 'purge audit log', intervalMs: HOUR_MS, run: () => auditLog.purge() });

  const workers = createWorkerPool({
    queueRole: redisSettings.queue,
    prefix,
    logger,
    failedJobs,
    observer: metrics.jobObserver,
    overrides,
    probe: () => database.ping(),
    closeTimeoutMs: config.shutdownTimeoutMs / 2,
    closer,
  });
  tasks.add({
    name: 'watch workers',
    intervalMs: WATCHDOG_INTERVAL_MS,
    async run() {
      const queues = workers.stuck();
      // Thrown where nobody catches it: the process must end, and its supervisor start a fresh one.
      if (queues.length > 0)
        setImmediate(() => {
          throw workersStuck(`jobs wait in ${queues.join(', ')} and this process does not get on with them`);
        });
    },
  });

  const app = await buildServiceApp({
    service,
    version,
    config,
    logger,
    redis,
    metrics,
    health: createHealthSource({ connection: redis.queue, prefix, ping: () => database.ping() }),
    live: () => {
      const queues = workers.stuck();
      return queues.length === 0
        ? { ok: true }
        : { ok: false, reason: `no progress in ${queues.join(', ')}` };
    },
    verifier,
    audit: auditLog,
  });
  let appClosed: Promise<void> | undefined;
  const closeApp = () => (appClosed ??= Promise.resolve(app.close()));
  closer.add('http', closeApp);
  registerFailedJobs(app, failedJobs);

  let closed: Promise<unknown> | undefined;
  return {
    config,
    logger,
    metrics,
    app,
    database,
    redis,
    redisSettings,
    bullPrefix: prefix,
    producer,
    outbox,
    processedJobs,
    failedJobs,
    forgetPerson: createForgetPerson({ service, producer, failedJobs }),
    leases,
    cache,
    locks,
    secretBox,
    instanceId,
    addWorker: (queue, processors) => workers.add(queue, processors),
    addTask: (task) => tasks.add(task),
    onClose: (name, close) => closer.add(name, close),
    async start() {
      outbox.start();
      await workers.start();
      tasks.start();
      await listen(app, config);
      // Registered last, so that it stops first: a task must not ask for what is being closed.
      closer.add('periodic tasks', () => tasks.close());
      closer.add('listening', closeApp);
    },
    close() {
      closed ??= closer.close(logger).then(({ failed }) => {
        if (failed.length > 0) throw new Error(`did not close cleanly: ${failed.join(', ')}`);
      });
      return closed as Promise<void>;
    },
    open: () => closer.open(),
  };
}

/** Waits for both, so that nothing is opened behind the back of a start that has failed; the first's error comes first. */
async function settleBoth<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([a, b]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'rejected') throw second.reason;
  return [first.value, second.value];
}
