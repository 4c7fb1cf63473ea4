import { createPublicKey } from 'node:crypto';
import { ConfigError } from '@switchyard/config';
import { createTokenIssuer, generateKeyPair, type TokenIssuer } from '@switchyard/service-kit';
import type { Logger } from 'pino';
import type { IngressConfig } from '../config.ts';

/** The keys of tokens: who signs, and what the signature is checked with. */
export interface TokenKeys {
  /** Undefined where this ingress signs nothing. */
  readonly issuer: TokenIssuer | undefined;
  /** PEM text of one key or several. */
  readonly publicKeys: string | undefined;
}

/**
 * Settles the keys of tokens.
 *
 * Without any key, outside production, a pair is made that lives as long as the process: tokens then work at ingress alone.
 *
 * @throws ConfigError where TOKEN_SIGNING_KEY is unusable, or TOKEN_PUBLIC_KEY lacks its other half.
 */
export function resolveTokenKeys(config: IngressConfig, logger: Logger): TokenKeys {
  const { tokenSigningKey, tokenPublicKey, tokenTtlSeconds: ttlSeconds } = config;
  const variable = 'TOKEN_SIGNING_KEY';
  if (tokenSigningKey !== undefined) {
    const issuer = createTokenIssuer({ privateKeyPem: tokenSigningKey, ttlSeconds, variable });
    if (tokenPublicKey === undefined) return { issuer, publicKeys: issuer.publicKeyPem };
    if (!keysIn(tokenPublicKey).includes(keysIn(issuer.publicKeyPem)[0]!))
      throw new ConfigError('TOKEN_PUBLIC_KEY', `does not hold the other half of ${variable}`);
    return { issuer, publicKeys: tokenPublicKey };
  }
  if (tokenPublicKey !== undefined) {
    logger.warn(`${variable} is not set: this ingress issues no tokens`);
    return { issuer: undefined, publicKeys: tokenPublicKey };
  }
  logger.warn(
    `${variable} is not set: tokens are signed with a key of this process, valid here and until it ends`,
  );
  const { privateKeyPem, publicKeyPem } = generateKeyPair();
  return { issuer: createTokenIssuer({ privateKeyPem, ttlSeconds, variable }), publicKeys: publicKeyPem };
}

/** Public keys in one spelling, to be compared. */
function keysIn(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  return blocks.map((block) =>
    createPublicKey(block).export({ format: 'der', type: 'spki' }).toString('base64'),
  );
}
