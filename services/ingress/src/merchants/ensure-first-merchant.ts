import { DEFAULT_MERCHANT_ID } from '@switchyard/runtime';
import { hasFirstNumber, type IngressConfig } from '../config.ts';
import type { SourceKind } from '../database/tables.ts';
import type { Apps } from './create-apps.ts';
import type { Merchants } from './create-merchants.ts';
import type { Sources } from './create-sources.ts';

/** A source as the environment describes it. */
interface FirstSource {
  readonly kind: SourceKind;
  /** The app that the environment makes. */
  readonly appId: string;
  readonly sourceKey: string;
  readonly accountKey?: string | undefined;
  readonly secret: string;
  readonly verifyToken?: string | undefined;
}

/**
 * Makes what the environment describes (R7.1, R7.2): the default merchant, and its number and shop where they are set. Runs at every
 * start, on every replica; the environment's secrets win over what is stored, and a source that it no longer names is disabled.
 */
export async function ensureFirstMerchant(
  config: IngressConfig,
  stores: { merchants: Merchants; apps: Apps; sources: Sources },
): Promise<void> {
  const merchantId = DEFAULT_MERCHANT_ID;
  await stores.merchants.ensure({ id: merchantId, name: 'Default merchant' });
  const described = describedBy(config);
  const name = 'From the environment';
  for (const { kind, appId, sourceKey, accountKey, secret, verifyToken } of described) {
    await stores.apps.ensureFromEnvironment({ id: appId, merchantId, kind, name, secret, verifyToken });
    await stores.sources.ensureFromEnvironment({ merchantId, appId, kind, sourceKey, accountKey, name });
  }
  await stores.sources.disableForgotten(described);
}

function describedBy(config: IngressConfig): FirstSource[] {
  const found: FirstSource[] = [];
  const { whatsappPhoneNumberId, whatsappAppSecret, shopifyShopDomain, shopifyApiSecret } = config;
  if (hasFirstNumber(config) && whatsappPhoneNumberId !== undefined && whatsappAppSecret !== undefined)
    found.push({
      kind: 'whatsapp',
      appId: 'app_environment',
      sourceKey: whatsappPhoneNumberId,
      accountKey: config.whatsappBusinessAccountId,
      secret: whatsappAppSecret,
      verifyToken: config.whatsappVerifyToken,
    });
  if (shopifyShopDomain !== undefined && shopifyApiSecret !== undefined)
    found.push({
      kind: 'shopify',
      appId: 'app_environment_shopify',
      sourceKey: shopifyShopDomain.toLowerCase(),
      secret: shopifyApiSecret,
    });
  return found;
}
