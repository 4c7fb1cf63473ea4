import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

type Environment = Record<string, string | undefined>;

/**
 * Completes an environment with the secrets that it lacks. What is generated is kept, so that tokens, stored secrets
 * and the API key stay valid over restarts.
 *
 * @param env the configured environment; what it sets wins.
 * @param folder where secrets are kept, readable by the owner alone.
 * @returns the variables to add. Keys go by `<NAME>_FILE`, since PEM has several lines.
 */
export function settleSecrets(env: Environment, folder: string): Record<string, string> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const isSet = (name: string) => Boolean(env[name] || env[`${name}_FILE`]);
  const added: Record<string, string> = {};

  function settle(name: string, generate: () => string): void {
    if (isSet(name)) return;
    added[name] = keep(join(folder, name.toLowerCase().replaceAll('_', '-')), generate);
  }

  settleKeyPair(env, isSet, folder, added);
  settle('ENCRYPTION_KEYS', () => `k1:${randomBytes(32).toString('base64')}`);
  settle('SWITCHYARD_API_KEY', () => `sk_${randomBytes(24).toString('base64url')}`);
  settle('WHATSAPP_APP_SECRET', () => randomBytes(16).toString('hex'));
  settle('WHATSAPP_VERIFY_TOKEN', () => randomBytes(16).toString('hex'));
  settle('SHOPIFY_API_SECRET', () => randomBytes(16).toString('hex'));
  return added;
}

function settleKeyPair(
  env: Environment,
  isSet: (name: string) => boolean,
  folder: string,
  added: Record<string, string>,
): void {
  const signingFile = join(folder, 'token-signing-key.pem');
  const publicFile = join(folder, 'token-public-key.pem');
  if (isSet('TOKEN_SIGNING_KEY')) {
    if (isSet('TOKEN_PUBLIC_KEY')) return;
    const configured = env.TOKEN_SIGNING_KEY || readFileSync(env.TOKEN_SIGNING_KEY_FILE!, 'utf8');
    write(publicFile, publicKeyOf(configured));
  } else {
    if (isSet('TOKEN_PUBLIC_KEY'))
      throw new StartError('TOKEN_SIGNING_KEY must be set along with TOKEN_PUBLIC_KEY.');
    const signingKey = keep(signingFile, () =>
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    );
    added.TOKEN_SIGNING_KEY_FILE = signingFile;
    write(publicFile, publicKeyOf(signingKey));
  }
  added.TOKEN_PUBLIC_KEY_FILE = publicFile;
}

function publicKeyOf(signingKey: string): string {
  try {
    return createPublicKey(createPrivateKey(signingKey)).export({ type: 'spki', format: 'pem' }).toString();
  } catch {
    throw new StartError('TOKEN_SIGNING_KEY must be an Ed25519 private key in PEM.');
  }
}

function keep(file: string, generate: () => string): string {
  if (!existsSync(file)) write(file, generate());
  return readFileSync(file, 'utf8');
}

function write(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
}
