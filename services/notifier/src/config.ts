import { ConfigError, type ConfigFields, type ConfigOf, field, loadConfig } from '@switchyard/config';
import { runtimeFields } from '@switchyard/runtime';
import { isMailbox } from './email/check-address.ts';

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
  smtpUrl: field.url('SMTP_URL', {
    description:
      'SMTP server that emails go through, `smtp://user:password@host:587`, or `smtps://` for TLS from the first byte',
    protocols: ['smtp:', 'smtps:'],
    optional: true,
    secret: true,
  }),
  emailFrom: field.string('EMAIL_FROM', {
    description: 'Who emails are from: an address, or `Name <address>`',
    optional: true,
  }),
  smtpTimeoutMs: field.integer('SMTP_TIMEOUT_MS', {
    description: 'Time the SMTP server has for each answer, in milliseconds',
    default: 20_000,
    minimum: 100,
    maximum: 50_000,
  }),
} satisfies ConfigFields;

export type NotifierConfig = ConfigOf<typeof notifierFields>;

/** @throws ConfigError one line that names the variable. */
export function loadNotifierConfig(env: Readonly<Record<string, string | undefined>>): NotifierConfig {
  const config = loadConfig(notifierFields, env);
  if ((config.smtpUrl === undefined) !== (config.emailFrom === undefined))
    throw new ConfigError(
      config.smtpUrl === undefined ? 'SMTP_URL' : 'EMAIL_FROM',
      'must be set: a server and a sender go together',
    );
  if (config.emailFrom !== undefined) readSender(config.emailFrom);
  return config;
}

/**
 * Reads `EMAIL_FROM`.
 *
 * @throws ConfigError when it is neither an address nor `Name <address>`.
 */
export function readSender(text: string): { address: string; domain: string } {
  const address = /^[^<>@"\r\n]*<([^<>]+)>$/.exec(text)?.[1] ?? text;
  if (!isMailbox(address)) throw new ConfigError('EMAIL_FROM', 'must be an address, or `Name <address>`');
  return { address, domain: address.slice(address.lastIndexOf('@') + 1).toLowerCase() };
}
