import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { ConfigError } from '@switchyard/config';
import { SignJWT } from 'jose';
import { keyId } from './read-public-keys.ts';
import { tokenAudience, tokenIssuerName } from './token-claims.ts';

/** Whom a token speaks for. */
export interface TokenGrant {
  subject: string;
  merchantId: string;
  scopes: readonly string[];
}

/** Signs tokens that every service's verifier accepts. */
export interface TokenIssuer {
  /** @returns the token and the time it ends, in milliseconds. */
  issue(grant: TokenGrant): Promise<{ token: string; expiresAtMs: number }>;
  /** The public half of the key, as `TOKEN_PUBLIC_KEY` takes it. */
  readonly publicKeyPem: string;
}

/**
 * Creates the issuer of short-lived tokens.
 *
 * @param settings.privateKeyPem Ed25519 private key, PKCS #8 PEM.
 * @param settings.ttlSeconds how long a token is valid.
 * @param settings.variable the variable to blame for an unusable key.
 * @throws ConfigError when the key can't be read or isn't Ed25519.
 */
export function createTokenIssuer(settings: {
  privateKeyPem: string;
  ttlSeconds: number;
  variable?: string;
}): TokenIssuer {
  const key = readPrivateKey(settings.privateKeyPem, settings.variable ?? 'TOKEN_PRIVATE_KEY');
  const publicKey = createPublicKey(key);
  const header = { alg: 'EdDSA', typ: 'JWT', kid: keyId(publicKey) };
  return {
    publicKeyPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    async issue({ subject, merchantId, scopes }) {
      const issuedAt = Math.floor(Date.now() / 1_000);
      const expiresAt = issuedAt + settings.ttlSeconds;
      const token = await new SignJWT({ merchantId, scopes: [...scopes] })
        .setProtectedHeader(header)
        .setSubject(subject)
        .setIssuer(tokenIssuerName)
        .setAudience(tokenAudience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .sign(key);
      return { token, expiresAtMs: expiresAt * 1_000 };
    },
  };
}

function readPrivateKey(pem: string, variable: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem.replaceAll('\\n', '\n'));
  } catch {
    throw new ConfigError(variable, 'must be an Ed25519 private key in PEM');
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new ConfigError(variable, 'must be an Ed25519 private key in PEM');
  }
  return key;
}
