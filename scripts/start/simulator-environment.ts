import { StartError } from './start-error.ts';

/**
 * Decides who the provider is: the simulator, unless there are real credentials (requirement R7.1).
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
  return (ports) => ({
    WHATSAPP_PHONE_NUMBER_ID: '100000000000001',
    WHATSAPP_ACCESS_TOKEN: 'simulator-token',
    WHATSAPP_API_URL: `http://127.0.0.1:${ports.get('simulator')}`,
    // A simulated number need not be spared: the pace of a fresh real one, not the cautious default.
    WHATSAPP_MESSAGES_PER_SECOND: env.WHATSAPP_MESSAGES_PER_SECOND || '80',
    SIMULATOR_WEBHOOK_URL: `http://127.0.0.1:${ports.get('ingress')}/webhooks/whatsapp`,
  });
}
