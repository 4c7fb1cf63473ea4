import { generateKeyPairSync, randomBytes } from 'node:crypto';

/** Secrets made for one system, which must show up nowhere. */
export function createSecrets() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    TOKEN_SIGNING_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    TOKEN_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    SWITCHYARD_API_KEY: `sk_${randomBytes(24).toString('base64url')}`,
    WHATSAPP_APP_SECRET: randomBytes(16).toString('hex'),
    WHATSAPP_VERIFY_TOKEN: randomBytes(16).toString('hex'),
    WHATSAPP_ACCESS_TOKEN: `EAA${randomBytes(24).toString('hex')}`,
  };
}

/** {@link createSecrets}'s outcome. */
export type Secrets = ReturnType<typeof createSecrets>;

/** The five services. */
export const serviceNames = [
  'ingress',
  'campaign-sender',
  'flow-engine',
  'notifier',
  'metrics-exporter',
] as const;

/** One of the five. */
export type ServiceName = (typeof serviceNames)[number];

/** Where a service's program is. */
export function mainOf(service: ServiceName): URL {
  return new URL(`../../../../services/${service}/src/main.ts`, import.meta.url);
}
