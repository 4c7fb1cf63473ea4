import { createFileStore } from '@switchyard/files';
import { createBudget, createSharedBreaker } from '@switchyard/redis';
import { DEFAULT_MERCHANT_ID, type Runtime } from '@switchyard/runtime';
import { createSafeClient } from '@switchyard/safe-http';
import { createAiBudgets } from '../ai/ai-budgets.ts';
import { createAi, isProviderFailure } from '../ai/create-ai.ts';
import { createAiExecutors } from '../ai/create-ai-executors.ts';
import { createProviderStore } from '../ai/provider-store.ts';
import { createUsageStore } from '../ai/usage-store.ts';
import type { FlowEngineConfig } from '../config.ts';
import { environmentProvider, environmentShop } from '../credentials/provider-fields.ts';
import { resealSecrets } from '../credentials/reseal-secrets.ts';
import type { FlowTables } from '../database/tables.ts';
import { createHttpExecutor, isHostFailure } from '../http/create-http-executor.ts';
import { registerAiBudgets } from '../routes/ai-budgets.ts';
import { registerAiProviders } from '../routes/ai-providers.ts';
import { registerSecrets } from '../routes/secrets.ts';
import { registerShops } from '../routes/shops.ts';
import { createSecretStore } from '../secrets/secret-store.ts';
import { createAdminClient, isShopFailure } from '../shopify/create-admin-client.ts';
import { createShopifyExecutor } from '../shopify/create-shopify-executor.ts';
import { createTokenKeeper } from '../shopify/create-token-keeper.ts';
import { createShopStore, type ShopStore } from '../shopify/shop-store.ts';
import type { CallExecutors } from './call.ts';
import { createBulkhead } from './create-bulkhead.ts';
import { createReadFile } from './read-file.ts';

/** A completion is text; whatever is longer is none. */
const AI_MAX_BYTES = 1024 * 1024;
/** All providers together must be through before the job's own time is up. */
const AI_TOTAL_MS = 100_000;
/** `flows` has 50 places; calls take half of them at most, so that conversations go on however slow the world is. */
const HTTP_PLACES = { total: 25, perKey: 8 };
/** `ai` has 50; one merchant takes half of them at most. */
const AI_PLACES = { total: 50, perKey: 25 };
const SHOPIFY_TIMEOUT_MS = 15_000;
const SHOPIFY_MAX_BYTES = 4 * 1024 * 1024;
/** What the smallest plan has, until Shopify says otherwise (R3.7). */
const SMALLEST_BUCKET = { maximum: 1000, restorePerSecond: 100 };
const AI_BREAKER = {
  windowMs: 30_000,
  minimumFailures: 5,
  failureRatio: 0.5,
  openMs: 15_000,
  probeMs: 120_000,
};

/** Makes an executor for every kind of call, with its stores and routes; and the shops, which others stop. */
export async function createExecutors(
  runtime: Runtime<FlowTables, FlowEngineConfig>,
): Promise<CallExecutors & { shops: ShopStore }> {
  const { app, config, database, secretBox, logger, metrics, redis } = runtime;
  const allowPrivateNetworks = config.flowHttpAllowPrivateNetworks;
  const policy = { allowPrivateNetworks, allowedHosts: config.flowHttpAllowedHosts };
  const client = (name: string, options: Parameters<typeof createSafeClient>[0]) => {
    const made = createSafeClient(options);
    runtime.onClose(name, () => made.close());
    return made;
  };
  const breaker = (name: string, options: object, isFailure: (error: unknown) => boolean) =>
    createSharedBreaker({ client: redis.queue, logger, name, isFailure, ...options });

  const secrets = createSecretStore({ database, secretBox });
  registerSecrets(app, { secrets });
  const http = createHttpExecutor({
    secrets,
    client: client('http client of flows', {
      ...policy,
      timeoutMs: config.flowHttpTimeoutMs,
      maxBytes: config.flowHttpMaxBytes,
    }),
    breaker: breaker('flow-http', {}, isHostFailure),
    bulkhead: createBulkhead(HTTP_PLACES),
  });

  const providers = createProviderStore({ database, secretBox, allowPrivateNetworks });
  await providers.ensureFromEnvironment(environmentProvider(config), DEFAULT_MERCHANT_ID);
  const tokens = metrics.counter('switchyard_ai_tokens_total', 'Tokens that AI providers counted.', [
    'kind',
    'purpose',
  ]);
  const usage = createUsageStore({ database, count: (labels, count) => tokens.add(labels, count) });
  registerAiProviders(app, { providers, usage });
  const aiClient = { timeoutMs: config.aiTimeoutMs, maxBytes: AI_MAX_BYTES };
  const budgets = createAiBudgets({ database, dailyTokens: config.aiDailyTokens });
  registerAiBudgets(app, { budgets });
  const ai = createAi({
    providers,
    budgets,
    usage,
    breaker: breaker('ai', AI_BREAKER, isProviderFailure),
    http: {
      guarded: client('ai client', { ...policy, ...aiClient }),
      trusted: client('trusted ai client', { ...aiClient, allowPrivateNetworks: true }),
    },
    timeoutMs: config.aiTimeoutMs,
    totalMs: AI_TOTAL_MS,
    logger,
  });
  const aiExecutors = createAiExecutors({
    ai,
    readFile: createReadFile(await createFileStore(config)),
    bulkhead: createBulkhead(AI_PLACES),
    historyTokens: config.aiHistoryTokens,
  });

  const shops = createShopStore({ database, secretBox });
  await shops.ensureFromEnvironment(environmentShop(config));
  const { shopifyApiUrl } = config;
  const baseUrlOf = (shopDomain: string) => shopifyApiUrl?.replace(/\/$/, '') ?? `https://${shopDomain}`;
  const shopClient = client('shopify client', {
    timeoutMs: SHOPIFY_TIMEOUT_MS,
    maxBytes: SHOPIFY_MAX_BYTES,
    // Operators chose the one address, Shopify has the others.
    allowPrivateNetworks: allowPrivateNetworks || shopifyApiUrl !== undefined,
  });
  const { outbox, leases, instanceId: owner, cache } = runtime;
  const admin = createAdminClient({
    client: shopClient,
    tokens: createTokenKeeper({ database, outbox, leases, owner, secretBox, client: shopClient, baseUrlOf }),
    budget: createBudget({ client: redis.queue, logger, name: 'shopify', assumed: SMALLEST_BUCKET }),
    breaker: breaker('shopify', {}, isShopFailure),
    baseUrlOf,
    version: config.shopifyApiVersion,
  });
  registerShops(app, { shops, admin, cache });
  await resealSecrets({ database, secretBox, logger });
  const shopify = createShopifyExecutor({ shops, admin, cache, bulkhead: createBulkhead(HTTP_PLACES) });
  return { http, shopify, ...aiExecutors, shops };
}
