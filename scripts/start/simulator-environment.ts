import { StartError } from './start-error.ts';

const simulatedShop = 'simulated-shop.myshopify.com';

/**
 * Decides who the provider is: the simulator, unless there are real credentials (requirement R7.1). With it comes a simulated AI, shop
 * and mailbox for those that are not configured; in production none is assumed.
 *
 * @returns undefined for the real provider; else what makes the variables, given the ports.
 * @throws StartError when the real credentials are only half there.
 */
export function simulatorEnvironment(
  env: Record<string, string | undefined>,
): ((ports: ReadonlyMap<string, number>) => Record<string, string>) | undefined {
  const isSet = (name: string) => Boolean(env[name] || env[`${name}_FILE`]);
  if (isSet('WHATSAPP_PHONE_NUMBER_ID') !== isSet('WHATSAPP_ACCESS_TOKEN')) {
    const missing = isSet('WHATSAPP_ACCESS_TOKEN') ? 'WHATSAPP_PHONE_NUMBER_ID' : 'WHATSAPP_ACCESS_TOKEN';
    throw new StartError(`${missing} must be set too: a number and its token go together.`);
  }
  if (isSet('WHATSAPP_ACCESS_TOKEN')) {
    if (!isSet('WHATSAPP_APP_SECRET'))
      throw new StartError(
        'WHATSAPP_APP_SECRET must be set along with WHATSAPP_ACCESS_TOKEN: it signs the webhooks.',
      );
    return undefined;
  }
  return (ports) => {
    const simulator = `http://127.0.0.1:${ports.get('simulator')}`;
    const ingress = `http://127.0.0.1:${ports.get('ingress')}`;
    const isOneSet = (...names: string[]) => names.some(isSet) || env.NODE_ENV === 'production';
    return {
      WHATSAPP_PHONE_NUMBER_ID: '100000000000001',
      // With it, the account's templates are known here too.
      WHATSAPP_BUSINESS_ACCOUNT_ID: '200000000000001',
      WHATSAPP_ACCESS_TOKEN: 'simulator-token',
      WHATSAPP_API_URL: simulator,
      // A simulated number need not be spared: the pace of a fresh real one, not the cautious default.
      WHATSAPP_MESSAGES_PER_SECOND: env.WHATSAPP_MESSAGES_PER_SECOND || '80',
      SIMULATOR_WEBHOOK_URL: `${ingress}/webhooks/whatsapp`,
      SIMULATOR_SHOPIFY_WEBHOOK_URL: `${ingress}/webhooks/shopify`,
      SIMULATOR_SMTP_PORT: String(ports.get('smtp')),
      ...(isOneSet('AI_BASE_URL', 'AI_API_KEY', 'AI_MODEL')
        ? {}
        : { AI_BASE_URL: `${simulator}/ai/v1`, AI_API_KEY: 'simulator-ai-key', AI_MODEL: 'simulator' }),
      ...(isOneSet('SHOPIFY_SHOP_DOMAIN', 'SHOPIFY_ACCESS_TOKEN')
        ? {}
        : {
            SHOPIFY_SHOP_DOMAIN: simulatedShop,
            SHOPIFY_ACCESS_TOKEN: 'simulator-shop-token',
            SHOPIFY_API_URL: `${simulator}/shopify`,
          }),
      ...(isOneSet('SMTP_URL', 'EMAIL_FROM')
        ? {}
        : {
            SMTP_URL: `smtp://127.0.0.1:${ports.get('smtp')}`,
            EMAIL_FROM: 'Switchyard <no-reply@switchyard.example>',
          }),
    };
  };
}
