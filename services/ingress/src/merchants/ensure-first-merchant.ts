import { DEFAULT_MERCHANT_ID } from '@switchyard/runtime';
import { hasFirstNumber, type IngressConfig } from '../config.ts';
import type { Apps } from './create-apps.ts';
import type { Merchants } from './create-merchants.ts';
import type { Sources } from './create-sources.ts';

/** The app of the first number. */
const ENVIRONMENT_APP_ID = 'app_environment';

/**
 * Makes what the environment describes (R7.1): the default merchant, and its number where one is set. Runs at every start, on
 * every replica; the environment's secrets win over what is stored.
 */
export async function ensureFirstMerchant(
  config: IngressConfig,
  stores: { merchants: Merchants; apps: Apps; sources: Sources },
): Promise<void> {
  const merchantId = DEFAULT_MERCHANT_ID;
  await stores.merchants.ensure({ id: merchantId, name: 'Default merchant' });
  const { whatsappPhoneNumberId: sourceKey, whatsappAppSecret: secret } = config;
  if (!hasFirstNumber(config) || sourceKey === undefined || secret === undefined) return;
  const name = 'From the environment';
  await stores.apps.ensureFromEnvironment({
    id: ENVIRONMENT_APP_ID,
    merchantId,
    kind: 'whatsapp',
    name,
    secret,
    verifyToken: config.whatsappVerifyToken,
  });
  await stores.sources.ensureFromEnvironment({
    merchantId,
    appId: ENVIRONMENT_APP_ID,
    kind: 'whatsapp',
    sourceKey,
    accountKey: config.whatsappBusinessAccountId,
    name,
  });
}
