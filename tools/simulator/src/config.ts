import { type ConfigFields, field } from '@switchyard/config';

/** The variables that the simulator's process reads. */
export const simulatorFields = {
  host: field.string('HOST', { description: 'Address to listen on.', default: '127.0.0.1' }),
  port: field.integer('PORT', {
    description: 'Port to listen on.',
    default: 4000,
    minimum: 0,
    maximum: 65_535,
  }),
  logLevel: field.choice('LOG_LEVEL', ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'], {
    description: 'How much is logged.',
    default: 'info',
  }),
  aiApiKey: field.string('AI_API_KEY', {
    description: 'The Bearer token that the AI accepts.',
    default: 'simulator-ai-key',
    secret: true,
  }),
  shopDomain: field.string('SHOPIFY_SHOP_DOMAIN', {
    description: 'Domain of the simulated shop.',
    default: 'simulated-shop.myshopify.com',
  }),
  shopApiSecret: field.string('SHOPIFY_API_SECRET', {
    description: "Signs the shop's webhooks.",
    default: 'simulator-shop-secret',
    secret: true,
  }),
  shopAccessToken: field.string('SHOPIFY_ACCESS_TOKEN', {
    description: 'The access token that the Admin API accepts.',
    default: 'simulator-shop-token',
    secret: true,
  }),
  shopWebhookUrl: field.url('SIMULATOR_SHOPIFY_WEBHOOK_URL', {
    description: "Where the shop's webhooks go.",
    protocols: ['http:', 'https:'],
    default: 'http://127.0.0.1:3000/webhooks/shopify',
  }),
  smtpPort: field.integer('SIMULATOR_SMTP_PORT', {
    description: 'Port of the SMTP server that keeps what it is sent; 0 takes a free one.',
    default: 0,
    minimum: 0,
    maximum: 65_535,
  }),
  webhookUrl: field.url('SIMULATOR_WEBHOOK_URL', {
    description: 'Where the simulator posts its webhooks.',
    protocols: ['http:', 'https:'],
    default: 'http://127.0.0.1:3000/webhooks/whatsapp',
  }),
  settings: field.string('SIMULATOR_SETTINGS', {
    description: 'Settings of the simulator as JSON, for example {"limits":{"throughput":false}}.',
    optional: true,
  }),
  appSecret: field.string('WHATSAPP_APP_SECRET', {
    description: 'Signs webhooks.',
    default: 'simulator-app-secret',
    secret: true,
  }),
  verifyToken: field.string('WHATSAPP_VERIFY_TOKEN', {
    description: 'Shown by the webhook handshake.',
    default: 'simulator-verify-token',
    secret: true,
  }),
  accessToken: field.string('WHATSAPP_ACCESS_TOKEN', {
    description: 'The Bearer token that the Cloud API accepts.',
    default: 'simulator-access-token',
    secret: true,
  }),
  phoneNumberId: field.string('WHATSAPP_PHONE_NUMBER_ID', {
    description: 'Id of the business number.',
    default: '100000000000001',
  }),
  businessAccountId: field.string('WHATSAPP_BUSINESS_ACCOUNT_ID', {
    description: 'Id of the WhatsApp Business Account.',
    default: '200000000000001',
  }),
} satisfies ConfigFields;
