// Routes everywhere say `tags` and `summary`; without this line only this package would know those words.
/// <reference types="@fastify/swagger" preserve="true" />
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { ConfigError } from '@switchyard/config';
import Fastify, {
  type FastifyInstance,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify';
import type { Logger } from 'pino';
import { type AuditSink, installAudit } from '../audit/install-audit.ts';
import type { TokenVerifier } from '../auth/create-token-verifier.ts';
import { installAuthentication } from '../auth/install-authentication.ts';
import { createMetrics, type Metrics } from '../metrics/create-metrics.ts';
import { buildValidator } from './build-validator.ts';
import { answerClientError, handleErrors, sendError } from './handle-errors.ts';
import type { HealthSource, LiveStatus } from './health-source.ts';
import { checkHttpConfig, type HttpConfig, type TrustProxy } from './http-fields.ts';
import { installDraining } from './install-draining.ts';
import { createRequestLogger, installRequestContext } from './install-request-context.ts';
import { installSecurityHeaders } from './install-security-headers.ts';
import { logRequests } from './log-requests.ts';
import { registerDocs } from './register-docs.ts';
import { registerProbes } from './register-probes.ts';
import { type RedisRoles, registerRedis } from './register-redis.ts';
import { shedLoad } from './shed-load.ts';
import { requestIdOf } from './trace-context.ts';

/** A service's app: Fastify with pino and TypeBox schemas. */
export type ServiceApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  Logger,
  TypeBoxTypeProvider
>;

/** What an app is built from. */
export interface ServiceAppSettings {
  service: string;
  version: string;
  config: HttpConfig;
  logger: Logger;
  /** Clients by role, connected and closed by the caller. */
  redis?: RedisRoles;
  health: HealthSource;
  live: () => LiveStatus;
  verifier: TokenVerifier;
  audit?: AuditSink;
  /** The process's metrics, where something beside HTTP feeds them too. */
  metrics?: Metrics;
}

/**
 * Builds the app that every service adds its routes to: ids, envelope, security headers, load shedding, token check
 * on `/api/v1`, limits, audit, `/health`, `/live`, `/ready`, `/metrics`, `/docs`.
 *
 * It neither listens nor closes what it was given.
 *
 * @throws ConfigError for settings that contradict each other.
 */
export async function buildServiceApp(settings: ServiceAppSettings): Promise<ServiceApp> {
  const { service, version, config, logger, verifier } = settings;
  checkHttpConfig(config);
  const metrics = settings.metrics ?? createMetrics({ service });
  const typed: ServiceApp = createServer(config, logger);
  // Plugins and hooks are written against Fastify's defaults; logger and provider don't concern them.
  const app = typed as unknown as FastifyInstance;

  handleErrors(app);
  installRequestContext(app);
  const drain = installDraining(app, config.shutdownTimeoutMs);
  logRequests(app, metrics);
  installSecurityHeaders(app);
  await shedLoad(app, config);
  await registerRedis(app, settings.redis ?? {});
  await registerDocs(app, { service, version });
  await installAuthentication(app, {
    service,
    verifier,
    apiRatePerMinute: config.apiRatePerMinute,
    authFailuresPerMinute: config.authFailuresPerMinute,
    cache: settings.redis?.cache,
  });
  if (settings.audit) installAudit(app, settings.audit, service);
  registerProbes(typed, {
    environment: config.environment,
    health: settings.health,
    live: settings.live,
    metrics,
    metricsToken: config.metricsToken,
    isShuttingDown: drain.isDraining,
  });
  return typed;
}

function createServer(config: HttpConfig, logger: Logger): ServiceApp {
  try {
    return Fastify({
      loggerInstance: logger,
      logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
      genReqId: requestIdOf,
      childLoggerFactory: (parent, bindings, options, message) =>
        createRequestLogger(parent as Logger, bindings, options, message),
      requestIdHeader: false,
      bodyLimit: config.bodyLimitBytes,
      trustProxy: trusted(config.trustProxy),
      requestTimeout: config.requestTimeoutMs,
      keepAliveTimeout: 72_000,
      http: {
        headersTimeout: config.requestTimeoutMs,
        requestTimeout: config.requestTimeoutMs,
        // Node.js looks for late requests every 30 s unless told otherwise.
        connectionsCheckingInterval: Math.min(5_000, Math.max(100, config.requestTimeoutMs / 4)),
      },
      forceCloseConnections: 'idle',
      // Draining answers these in the envelope.
      return503OnClosing: false,
      routerOptions: { maxParamLength: 256 },
      clientErrorHandler: answerClientError,
      frameworkErrors: sendError,
      schemaController: { compilersFactory: { buildValidator } },
    }).withTypeProvider<TypeBoxTypeProvider>();
  } catch (error) {
    if (error instanceof TypeError && /ip|address|trust/i.test(error.message)) {
      throw new ConfigError('TRUST_PROXY', 'names an address or a network that is not one');
    }
    throw error;
  }
}

/** A number of hops becomes a function: Fastify takes no number. */
function trusted(setting: TrustProxy): boolean | string[] | ((address: string, hop: number) => boolean) {
  return typeof setting === 'number' ? (_address, hop) => hop < setting : setting;
}
