import { ConfigError, type ConfigFields, type ConfigOf, field, loadConfig } from '@switchyard/config';
import { queueNames } from '@switchyard/jobs';
import { runtimeFields } from '@switchyard/runtime';

const defaultUsername = 'admin';
const defaultPassword = 'admin123';
const passwordLengthLeast = 12;

/** Every setting of metrics-exporter. */
export const metricsExporterFields = {
  ...runtimeFields(5000),
  bullBoardUsername: field.string('BULL_BOARD_USERNAME', {
    description: 'Name of the login to /admin/queues; production refuses the default',
    default: defaultUsername,
    requiredInProduction: true,
    pattern: '^[^:\\x00-\\x1f\\x7f]+$',
  }),
  bullBoardPassword: field.string('BULL_BOARD_PASSWORD', {
    description:
      'Password of the login to /admin/queues; production refuses the default and fewer than 12 characters',
    default: defaultPassword,
    requiredInProduction: true,
    secret: true,
    pattern: '^[^\\x00-\\x1f\\x7f]+$',
  }),
  bullBoardFailuresPerMinute: field.integer('BULL_BOARD_FAILURES_PER_MINUTE', {
    description: 'Wrong logins per minute of one address to /admin/queues, after which it gets 429',
    default: 10,
    minimum: 2,
  }),
  oldestWaitingMs: field.integer('HEALTH_OLDEST_WAITING_MS', {
    description: 'A queue whose oldest waiting job waits longer is degraded, in milliseconds',
    default: 300_000,
    minimum: 1,
  }),
  oldestWaitingOverrides: field.list('HEALTH_OLDEST_WAITING_MS_BY_QUEUE', {
    description: 'Other limits for single queues, as queue:milliseconds, comma-separated',
    default: ['messages:3600000'],
  }),
} satisfies ConfigFields;

export type MetricsExporterConfig = ConfigOf<typeof metricsExporterFields>;

/** @throws ConfigError one line that names the variable. */
export function loadMetricsExporterConfig(
  env: Readonly<Record<string, string | undefined>>,
): MetricsExporterConfig {
  const config = loadConfig(metricsExporterFields, env);
  readWaitingLimits(config);
  if (config.environment !== 'production') return config;
  if (config.bullBoardUsername === defaultUsername)
    throw new ConfigError('BULL_BOARD_USERNAME', 'must not be the default in production');
  if (config.bullBoardPassword === defaultPassword)
    throw new ConfigError('BULL_BOARD_PASSWORD', 'must not be the default in production');
  if (config.bullBoardPassword.length < passwordLengthLeast)
    throw new ConfigError(
      'BULL_BOARD_PASSWORD',
      `must have at least ${passwordLengthLeast} characters in production`,
    );
  return config;
}

/**
 * How long a queue's oldest job may wait, in ms.
 *
 * @throws ConfigError for an entry that names no queue or no time.
 */
export function readWaitingLimits({
  oldestWaitingMs,
  oldestWaitingOverrides,
}: Pick<MetricsExporterConfig, 'oldestWaitingMs' | 'oldestWaitingOverrides'>): (queue: string) => number {
  const limits = new Map<string, number>();
  for (const entry of oldestWaitingOverrides) {
    const [, queue, limit] = /^([a-z]+):([1-9]\d{0,11})$/.exec(entry) ?? [];
    if (!(queueNames as readonly string[]).includes(queue ?? ''))
      throw new ConfigError(
        'HEALTH_OLDEST_WAITING_MS_BY_QUEUE',
        `holds ${JSON.stringify(entry)}, which is not a queue, a colon and milliseconds`,
      );
    limits.set(queue as string, Number(limit));
  }
  return (queue) => limits.get(queue) ?? oldestWaitingMs;
}
