import { type ConfigFields, type ConfigOf, field, loadConfig } from '@switchyard/config';
import { runtimeFields } from '@switchyard/runtime';

/** Every setting of notifier. */
export const notifierFields = {
  ...runtimeFields(3003),
  webhookTimeoutMs: field.integer('WEBHOOK_TIMEOUT_MS', {
    description: "Time a merchant's endpoint has to answer, in milliseconds",
    default: 15_000,
    minimum: 100,
    maximum: 60_000,
  }),
  webhookAllowPrivateNetworks: field.boolean('WEBHOOK_ALLOW_PRIVATE_NETWORKS', {
    description: 'Lets endpoints be in private networks and on this machine; for development',
    default: false,
  }),
} satisfies ConfigFields;

export type NotifierConfig = ConfigOf<typeof notifierFields>;

/** @throws ConfigError one line that names the variable. */
export function loadNotifierConfig(env: Readonly<Record<string, string | undefined>>): NotifierConfig {
  return loadConfig(notifierFields, env);
}
