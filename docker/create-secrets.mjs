// Fills the volume /run/switchyard with what the services read through <NAME>_FILE: the value of the variable where
// Compose was given one, else what was generated at the first start. Runs once per `docker compose up`, before the services.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

const folder = process.env.SECRETS_DIR ?? '/run/switchyard';
const realProvider = Boolean(process.env.WHATSAPP_ACCESS_TOKEN && process.env.WHATSAPP_PHONE_NUMBER_ID);

const fileOf = (variable) => `${folder}/${variable.toLowerCase().replaceAll('_', '-')}`;
const read = (variable) => (existsSync(fileOf(variable)) ? readFileSync(fileOf(variable), 'utf8') : '');

/** Written beside and moved, so that a service never reads half of it. */
function write(variable, value, mode = 0o444) {
  writeFileSync(`${fileOf(variable)}.new`, value, { mode });
  renameSync(`${fileOf(variable)}.new`, fileOf(variable));
}

/** The configured value wins; a generated one is kept for ever. */
function settle(variable, generate) {
  const value = process.env[variable] || read(variable) || generate();
  if (value !== read(variable)) write(variable, value);
}

mkdirSync(folder, { recursive: true });

if (process.env.TOKEN_SIGNING_KEY && process.env.TOKEN_PUBLIC_KEY) {
  write('TOKEN_SIGNING_KEY', process.env.TOKEN_SIGNING_KEY);
  write('TOKEN_PUBLIC_KEY', process.env.TOKEN_PUBLIC_KEY);
} else if (!read('TOKEN_SIGNING_KEY') || !read('TOKEN_PUBLIC_KEY')) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  write('TOKEN_SIGNING_KEY', privateKey.export({ type: 'pkcs8', format: 'pem' }));
  write('TOKEN_PUBLIC_KEY', publicKey.export({ type: 'spki', format: 'pem' }));
}

settle('ENCRYPTION_KEYS', () => `k1:${randomBytes(32).toString('base64')}`);
settle('SWITCHYARD_API_KEY', () => `sk_${randomBytes(24).toString('base64url')}`);
settle('WHATSAPP_APP_SECRET', () => randomBytes(16).toString('hex'));
settle('WHATSAPP_VERIFY_TOKEN', () => randomBytes(16).toString('hex'));
settle('SHOPIFY_API_SECRET', () => randomBytes(16).toString('hex'));

// The provider is the simulator until there are real credentials (requirement R7.1).
write('WHATSAPP_ACCESS_TOKEN', process.env.WHATSAPP_ACCESS_TOKEN || 'simulator-token');
write('WHATSAPP_PHONE_NUMBER_ID', process.env.WHATSAPP_PHONE_NUMBER_ID || '100000000000001');
write(
  'WHATSAPP_API_URL',
  process.env.WHATSAPP_API_URL || (realProvider ? 'https://graph.facebook.com' : 'http://simulator:4000'),
);
// A simulated number is told its pace; a real one starts at 20 a minute until it is configured (requirement R2.1).
write('WHATSAPP_MESSAGES_PER_SECOND', process.env.WHATSAPP_MESSAGES_PER_SECOND || (realProvider ? '' : '80'));

// With a simulated provider come a simulated AI, shop and mailbox, each unless one is configured; in production none is assumed.
const simulated = !realProvider && process.env.NODE_ENV !== 'production';

/** Variables that are configured together, or simulated together. */
function settleTogether(values) {
  const isConfigured = Object.keys(values).some((variable) => process.env[variable]);
  for (const [variable, value] of Object.entries(values))
    write(variable, process.env[variable] || (simulated && !isConfigured ? value : ''));
}

settleTogether({
  AI_BASE_URL: 'http://simulator:4000/ai/v1',
  AI_API_KEY: 'simulator-ai-key',
  AI_MODEL: 'simulator',
});
settleTogether({
  SHOPIFY_SHOP_DOMAIN: 'simulated-shop.myshopify.com',
  SHOPIFY_ACCESS_TOKEN: 'simulator-shop-token',
  SHOPIFY_API_URL: 'http://simulator:4000/shopify',
});
settleTogether({ SMTP_URL: 'smtp://simulator:4025', EMAIL_FROM: 'Switchyard <no-reply@switchyard.example>' });
