import { ConfigError, type ConfigOf, field, loadConfig } from '@switchyard/config';
import { filesFields } from '@switchyard/files';
import { runtimeFields, whatsappFields } from '@switchyard/runtime';

/** Settings of the sending protocol (`docs/sending.md`). */
const sendingFields = {
  sendHttpTimeoutMs: field.integer('SEND_HTTP_TIMEOUT_MS', {
    description: 'Longest call to the Cloud API in milliseconds; must be shorter than the grace',
    default: 15_000,
    minimum: 100,
    maximum: 45_000,
  }),
  sendUnknownGraceMs: field.integer('SEND_UNKNOWN_GRACE_MS', {
    description: 'How long a message whose sending ended unknown waits for its receipt, in milliseconds',
    default: 90_000,
    minimum: 200,
    maximum: 86_400_000,
  }),
  sendParkedMaxMs: field.integer('SEND_PARKED_MAX_MS', {
    description:
      'After so long without any receipt of its number such a message fails as unknown, in milliseconds',
    default: 86_400_000,
    minimum: 1000,
    maximum: 30 * 86_400_000,
  }),
  sendAppCallsPerSecond: field.number('SEND_APP_CALLS_PER_SECOND', {
    description: 'Calls per second of all processes and numbers together, where the app has such a limit',
    optional: true,
    minimum: 0.01,
    maximum: 100_000,
  }),
  sendPairIntervalMs: field.integer('SEND_PAIR_INTERVAL_MS', {
    description:
      "Time that each message to one person takes, in milliseconds: the provider's 6 s and a little, since calls take unequal time; 0: no limit",
    default: 6200,
    minimum: 0,
    maximum: 600_000,
  }),
  sendConnections: field.integer('SEND_CONNECTIONS', {
    description: 'Connections kept open to the Cloud API by one process',
    default: 200,
    minimum: 1,
    maximum: 5000,
  }),
};

/** Settings of what is read from the provider. */
const accountFields = {
  templateSyncIntervalMs: field.integer('TEMPLATE_SYNC_INTERVAL_MS', {
    description:
      'How often the templates and numbers of each account are read from the provider, in milliseconds',
    default: 3_600_000,
    minimum: 1000,
    maximum: 7 * 86_400_000,
  }),
  managementCallsPerHour: field.integer('WHATSAPP_MANAGEMENT_CALLS_PER_HOUR', {
    description:
      'Look-ups of numbers and templates per hour and account, of all processes together (the provider: 200 for an account without a registered number)',
    default: 5000,
    minimum: 12,
    maximum: 1_000_000,
  }),
};

/** Settings of the files that people send. */
const mediaFields = {
  mediaWaitMs: field.integer('MEDIA_WAIT_MS', {
    description: "How long a message's event waits for its file before it goes on without, in milliseconds",
    default: 15_000,
    minimum: 0,
    maximum: 600_000,
  }),
  mediaTimeoutMs: field.integer('MEDIA_TIMEOUT_MS', {
    description: 'Longest time for fetching one file from the Cloud API, in milliseconds',
    default: 120_000,
    minimum: 1000,
    maximum: 600_000,
  }),
  mediaConcurrency: field.integer('MEDIA_CONCURRENCY', {
    description: 'Files fetched at a time by one process',
    default: 8,
    minimum: 1,
    maximum: 200,
  }),
  mediaRetentionDays: field.integer('MEDIA_RETENTION_DAYS', {
    description: 'Days after which the files that people sent are deleted',
    default: 90,
    minimum: 1,
    maximum: 3650,
  }),
  mediaHosts: field.list('MEDIA_HOSTS', {
    description: "Hosts, with all below them, that the Cloud API's files may come from beside its own",
    default: ['fbsbx.com', 'fbcdn.net', 'facebook.com', 'whatsapp.net'],
  }),
};

/** Every setting of campaign-sender. */
export const configFields = {
  ...runtimeFields(3001),
  ...whatsappFields,
  ...filesFields,
  ...mediaFields,
  ...sendingFields,
  ...accountFields,
};

/** The settings, loaded. */
export type ServiceConfig = ConfigOf<typeof configFields>;

/**
 * Loads the settings and checks those that depend on one another.
 *
 * @throws ConfigError one line that names the variable.
 */
export function loadServiceConfig(env: Readonly<Record<string, string | undefined>>): ServiceConfig {
  const config = loadConfig(configFields, env);
  if (config.sendHttpTimeoutMs >= config.sendUnknownGraceMs)
    throw new ConfigError(
      'SEND_HTTP_TIMEOUT_MS',
      `must be shorter than SEND_UNKNOWN_GRACE_MS (${config.sendUnknownGraceMs})`,
    );
  if (config.sendParkedMaxMs < config.sendUnknownGraceMs)
    throw new ConfigError('SEND_PARKED_MAX_MS', 'must not be shorter than SEND_UNKNOWN_GRACE_MS');
  if (config.whatsappAccessToken !== undefined && config.whatsappPhoneNumberId === undefined)
    throw new ConfigError('WHATSAPP_PHONE_NUMBER_ID', 'must be set where WHATSAPP_ACCESS_TOKEN is');
  return config;
}
