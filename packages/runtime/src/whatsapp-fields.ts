import { type ConfigFields, field } from '@switchyard/config';

/** The merchant that the environment describes (requirement R7). */
export const DEFAULT_MERCHANT_ID = 'default';

/** The first merchant's WhatsApp number (requirement R7.1), for the services that need it. */
export const whatsappFields = {
  whatsappPhoneNumberId: field.string('WHATSAPP_PHONE_NUMBER_ID', {
    description: 'Id of the first number at the Cloud API; with the access token it makes the first merchant',
    optional: true,
    pattern: '^[0-9]+$',
  }),
  whatsappAccessToken: field.string('WHATSAPP_ACCESS_TOKEN', {
    description: 'Token that may send from that number',
    optional: true,
    secret: true,
  }),
  whatsappAppSecret: field.string('WHATSAPP_APP_SECRET', {
    description: "Secret of the provider's app: signs its webhooks",
    optional: true,
    secret: true,
  }),
  whatsappVerifyToken: field.string('WHATSAPP_VERIFY_TOKEN', {
    description: 'The word that the provider must know when it subscribes to the webhook',
    optional: true,
    secret: true,
  }),
  whatsappBusinessAccountId: field.string('WHATSAPP_BUSINESS_ACCOUNT_ID', {
    description: 'Id of the WhatsApp Business Account that the number belongs to',
    optional: true,
  }),
  whatsappApiUrl: field.url('WHATSAPP_API_URL', {
    description: 'Where the Cloud API is',
    default: 'https://graph.facebook.com',
    protocols: ['https:', 'http:'],
  }),
  whatsappApiVersion: field.string('WHATSAPP_API_VERSION', {
    description: 'Version of the Cloud API',
    default: 'v24.0',
    pattern: '^v[0-9]+\\.[0-9]+$',
  }),
  whatsappMessagesPerSecond: field.number('WHATSAPP_MESSAGES_PER_SECOND', {
    description: "The first number's throughput; 20 a minute until it is set (R2.1)",
    optional: true,
    minimum: 0.01,
    maximum: 1000,
  }),
} satisfies ConfigFields;
