import { ConfigError, type ConfigOf, field, loadConfig } from '@switchyard/config';
import { runtimeFields, shopifyFields, whatsappFields } from '@switchyard/runtime';

/** Every setting of ingress. */
export const ingressFields = {
  ...runtimeFields(3000),
  ...whatsappFields,
  ...shopifyFields,
  alertmanagerToken: field.string('ALERTMANAGER_TOKEN', {
    description: 'Bearer token of Alertmanager at /webhooks/alertmanager; without it there is no such route',
    optional: true,
    secret: true,
    minLength: 16,
  }),
  tokenSigningKey: field.string('TOKEN_SIGNING_KEY', {
    description:
      'Ed25519 private key (PKCS #8 PEM) that ingress signs tokens with; TOKEN_PUBLIC_KEY is its other half.',
    optional: true,
    requiredInProduction: true,
    secret: true,
  }),
  tokenTtlSeconds: field.integer('TOKEN_TTL_SECONDS', {
    description: 'How long a token that an API key was exchanged for is valid.',
    default: 900,
    minimum: 60,
    maximum: 86_400,
  }),
  bodyBudgetBytes: field.integer('INGRESS_BODY_BUDGET_BYTES', {
    description: 'Bytes of webhook bodies handled at a time; more are answered 503.',
    default: 67_108_864,
    minimum: 1_048_576,
  }),
  queueMemoryLimitPercent: field.integer('INGRESS_QUEUE_MEMORY_LIMIT_PERCENT', {
    description: "Share of the queue Redis' maxmemory above which webhooks are answered 503.",
    default: 90,
    minimum: 1,
    maximum: 100,
  }),
  isStrict: field.boolean('INGRESS_STRICT', {
    description:
      'Answer 200 only once the webhook is archived in SQL: covers power loss and fail-over of Redis.',
    default: false,
  }),
  archiveRetentionDays: field.integer('INGRESS_ARCHIVE_RETENTION_DAYS', {
    description: 'How long verified webhooks are archived for replay; 0 archives nothing.',
    default: 8,
    minimum: 0,
    maximum: 365,
  }),
  unroutedRetentionDays: field.integer('INGRESS_UNROUTED_RETENTION_DAYS', {
    description: 'How long events that no one could route are kept.',
    default: 90,
    minimum: 1,
  }),
};

/** The configuration of ingress. */
export type IngressConfig = ConfigOf<typeof ingressFields>;

/**
 * Reads and checks the settings of ingress.
 *
 * @throws ConfigError one line that names the variable.
 */
export function loadIngressConfig(env: Readonly<Record<string, string | undefined>>): IngressConfig {
  const config = loadConfig(ingressFields, env);
  if (hasFirstNumber(config) && config.whatsappAppSecret === undefined)
    throw new ConfigError(
      'WHATSAPP_APP_SECRET',
      'must be set with WHATSAPP_PHONE_NUMBER_ID and WHATSAPP_ACCESS_TOKEN: without it no webhook can be verified',
    );
  if (config.isStrict && config.archiveRetentionDays === 0)
    throw new ConfigError('INGRESS_STRICT', 'needs the archive: INGRESS_ARCHIVE_RETENTION_DAYS is 0');
  if (config.shopifyShopDomain !== undefined && config.shopifyApiSecret === undefined)
    throw new ConfigError(
      'SHOPIFY_API_SECRET',
      'must be set with SHOPIFY_SHOP_DOMAIN: without it no webhook can be verified',
    );
  return config;
}

/** Whether the environment describes the first merchant's number (requirement R7.1). */
export function hasFirstNumber(
  config: Pick<IngressConfig, 'whatsappPhoneNumberId' | 'whatsappAccessToken'>,
): boolean {
  return config.whatsappPhoneNumberId !== undefined && config.whatsappAccessToken !== undefined;
}
