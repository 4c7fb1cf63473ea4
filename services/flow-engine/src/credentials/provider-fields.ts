import { ConfigError, type ConfigFields, type ConfigOf, field } from '@switchyard/config';
import { DEFAULT_MERCHANT_ID, shopifyFields } from '@switchyard/runtime';
import type { EnvironmentProvider } from '../ai/provider-store.ts';

/** What flows may ask of the outside, and of whom (R7.2). */
export const providerFields = {
  flowHttpTimeoutMs: field.integer('FLOW_HTTP_TIMEOUT_MS', {
    description: "Longest that a flow's HTTP request may take, redirects included, in milliseconds",
    default: 10_000,
    minimum: 100,
    maximum: 45_000,
  }),
  flowHttpMaxBytes: field.integer('FLOW_HTTP_MAX_BYTES', {
    description: "Longest answer to a flow's HTTP request that is read",
    default: 262_144,
    minimum: 1024,
    maximum: 10_485_760,
  }),
  flowHttpAllowPrivateNetworks: field.boolean('FLOW_HTTP_ALLOW_PRIVATE_NETWORKS', {
    description:
      'Lets flows, AI providers and shops be in private networks and on this machine; for development',
    default: false,
  }),
  flowHttpAllowedHosts: field.list('FLOW_HTTP_ALLOWED_HOSTS', {
    description:
      'Hosts inside private networks that flows may ask nevertheless, `host` or `host:port`, by comma',
    default: [],
  }),
  shopifyShopDomain: shopifyFields.shopifyShopDomain,
  shopifyAccessToken: field.string('SHOPIFY_ACCESS_TOKEN', {
    description:
      "Token of the first shop's Admin API; with SHOPIFY_SHOP_DOMAIN, flows of the default merchant look into that shop",
    optional: true,
    secret: true,
  }),
  shopifyApiUrl: field.url('SHOPIFY_API_URL', {
    description: "Where the Admin API is, instead of at each shop's own domain; for a simulator or a proxy",
    optional: true,
    protocols: ['https:', 'http:'],
  }),
  shopifyApiVersion: field.string('SHOPIFY_API_VERSION', {
    description: 'Version of the Admin API',
    default: '2026-10',
    pattern: '^([0-9]{4}-[0-9]{2}|unstable)$',
  }),
  aiBaseUrl: field.url('AI_BASE_URL', {
    description: "Where the first AI provider is, up to the version; any that speaks OpenAI's protocol",
    default: 'https://api.openai.com/v1',
    protocols: ['https:', 'http:'],
  }),
  aiApiKey: field.string('AI_API_KEY', {
    description: 'Key of the first AI provider',
    optional: true,
    secret: true,
  }),
  aiModel: field.string('AI_MODEL', {
    description: 'Model of the first AI provider; with it, the default merchant has one',
    optional: true,
  }),
  aiTranscriptionModel: field.string('AI_TRANSCRIPTION_MODEL', {
    description:
      'Model of the first AI provider that turns speech into text; `whisper-1` where it is not set',
    optional: true,
  }),
  aiTimeoutMs: field.integer('AI_TIMEOUT_MS', {
    description: 'Time that one AI provider has for an answer, in milliseconds; then the next one is asked',
    default: 30_000,
    minimum: 100,
    maximum: 90_000,
  }),
  aiDailyTokens: field.integer('AI_DAILY_TOKENS', {
    description:
      'Tokens that a merchant may use on one day (UTC) where it has no budget of its own (`PUT /api/v1/ai-budget`); 0: without a limit',
    default: 0,
    minimum: 0,
    maximum: 1_000_000_000_000,
  }),
  aiHistoryTokens: field.integer('AI_HISTORY_TOKENS', {
    description: "Tokens of a conversation's history that an AI is shown at most",
    default: 4000,
    minimum: 100,
    maximum: 200_000,
  }),
} satisfies ConfigFields;

type ProviderConfig = ConfigOf<typeof providerFields>;

/** @throws ConfigError where what belongs together is only half there. */
export function checkProviders(config: ProviderConfig): void {
  if (config.aiApiKey !== undefined && config.aiModel === undefined)
    throw new ConfigError('AI_MODEL', 'must be set with AI_API_KEY: no model fits every provider');
  if (config.shopifyAccessToken !== undefined && config.shopifyShopDomain === undefined)
    throw new ConfigError('SHOPIFY_SHOP_DOMAIN', 'must be set with SHOPIFY_ACCESS_TOKEN: it says which shop');
}

/** The first AI provider, if the environment describes one. */
export function environmentProvider(config: ProviderConfig): EnvironmentProvider | undefined {
  const { aiBaseUrl, aiApiKey, aiModel, aiTranscriptionModel } = config;
  if (aiModel === undefined) return undefined;
  return {
    merchantId: DEFAULT_MERCHANT_ID,
    baseUrl: aiBaseUrl,
    apiKey: aiApiKey,
    model: aiModel,
    transcriptionModel: aiTranscriptionModel,
  };
}

/** The first shop, if the environment describes one that flows can look into. */
export function environmentShop(
  config: ProviderConfig,
): { shopDomain: string; accessToken: string } | undefined {
  const { shopifyShopDomain: shopDomain, shopifyAccessToken: accessToken } = config;
  return shopDomain === undefined || accessToken === undefined ? undefined : { shopDomain, accessToken };
}
