export type { AuditEntry, AuditSink } from './audit/install-audit.ts';
export { createTokenIssuer, type TokenGrant, type TokenIssuer } from './auth/create-token-issuer.ts';
export {
  createTokenVerifier,
  type TokenVerifier,
  type TokenVerifierSettings,
} from './auth/create-token-verifier.ts';
export { generateKeyPair } from './auth/generate-key-pair.ts';
export { requireScope } from './auth/install-authentication.ts';
export { adminScope, checkScopes, hasScope, type Principal } from './auth/principal.ts';
export * from './errors.ts';
export { buildServiceApp, type ServiceApp, type ServiceAppSettings } from './http/build-service-app.ts';
export { type Failure, fail, failureSchema, ok, succeed } from './http/envelope.ts';
export type { HealthSource, LiveStatus, QueueTotals } from './http/health-source.ts';
export { checkHttpConfig, type HttpConfig, httpFields, type TrustProxy } from './http/http-fields.ts';
export { jobMetaOf } from './http/install-request-context.ts';
export type { RedisRoles } from './http/register-redis.ts';
export { parseTraceparent, type TraceContext } from './http/trace-context.ts';
export { createLogger, type LoggerSettings } from './logging/create-logger.ts';
export { describeError, redact, scrubText } from './logging/redact.ts';
export {
  createLightHistogram,
  type LightHistogram,
  type LightHistogramLine,
} from './metrics/create-light-histogram.ts';
export { createMetrics, type FinishedJob, type Metrics } from './metrics/create-metrics.ts';
export { type Closer, createCloser } from './process/create-closer.ts';
export { findConfigError } from './process/find-config-error.ts';
export { type MainContext, type MainSettings, type RunningService, runMain } from './process/run-main.ts';
