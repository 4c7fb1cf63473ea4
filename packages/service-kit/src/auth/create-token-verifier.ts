import { createHash, timingSafeEqual } from 'node:crypto';
import { ConfigError } from '@switchyard/config';
import { errors, jwtVerify } from 'jose';
import { Compile } from 'typebox/compile';
import { tokenExpired, unauthenticated } from '../errors.ts';
import { adminScope, type Principal } from './principal.ts';
import { readPublicKeys } from './read-public-keys.ts';
import { tokenAudience, tokenClaimsSchema, tokenIssuerName } from './token-claims.ts';

/** What is accepted as a bearer. */
export interface TokenVerifierSettings {
  /** PEM text of one Ed25519 public key or, while keys are rotated, several. Without it no token is valid. */
  publicKeys: string | undefined;
  /** The API key of `SWITCHYARD_API_KEY`, accepted as it is. */
  apiKey?: string | undefined;
  /** The merchant of the API key. */
  defaultMerchantId?: string;
  /** How far clocks may differ. */
  clockToleranceSeconds?: number;
}

/** Checks bearers. */
export interface TokenVerifier {
  /**
   * @param bearer what follows `Bearer` in the authorization header.
   * @throws CodedError UNAUTHENTICATED or TOKEN_EXPIRED.
   */
  verify(bearer: string): Promise<Principal>;
}

/** A token carries scopes, not documents; a longer one isn't ours and isn't worth a signature check. */
const maximumLength = 8_192;

/** Verified tokens remembered, so that a busy caller's signature is not checked on each call. */
const cacheSize = 1_000;

const claimsCheck = Compile(tokenClaimsSchema);

/**
 * Creates the check of bearers: EdDSA tokens of `switchyard` for `switchyard-api`, whose `kid` names one of the
 * public keys, and the installation's API key.
 *
 * @throws ConfigError naming TOKEN_PUBLIC_KEY when the keys can't be read.
 */
export function createTokenVerifier(settings: TokenVerifierSettings): TokenVerifier {
  const { apiKey, defaultMerchantId = 'default', clockToleranceSeconds = 5 } = settings;
  const keys = settings.publicKeys === undefined ? new Map<string, never>() : readKeys(settings.publicKeys);
  const apiKeyDigest = apiKey === undefined ? undefined : digest(apiKey);
  const apiKeyPrincipal: Principal = Object.freeze({
    subject: 'api-key',
    merchantId: defaultMerchantId,
    homeMerchantId: defaultMerchantId,
    scopes: ['*', adminScope],
  });
  const verified = new Map<string, { principal: Principal; expiresAtMs: number }>();

  async function verifyToken(token: string): Promise<Principal> {
    const known = verified.get(token);
    if (known && known.expiresAtMs > Date.now()) return known.principal;
    verified.delete(token);
    const { payload } = await jwtVerify(
      token,
      ({ kid }) => {
        const key = kid === undefined ? undefined : keys.get(kid);
        if (!key) throw new errors.JWKSNoMatchingKey();
        return key;
      },
      {
        algorithms: ['EdDSA'],
        issuer: tokenIssuerName,
        audience: tokenAudience,
        clockTolerance: clockToleranceSeconds,
        requiredClaims: ['exp', 'iat'],
      },
    );
    const expiresAtMs = ((payload.exp ?? 0) + clockToleranceSeconds) * 1_000;
    if (!claimsCheck.Check(payload)) throw new errors.JWTInvalid('claims are not as they must be');
    const { sub, merchantId, scopes } = payload;
    const principal: Principal = Object.freeze({
      subject: sub,
      merchantId,
      homeMerchantId: merchantId,
      scopes: [...scopes],
    });
    if (verified.size >= cacheSize) verified.delete(verified.keys().next().value ?? '');
    verified.set(token, { principal, expiresAtMs });
    return principal;
  }

  return {
    async verify(bearer) {
      if (bearer.length > maximumLength) throw unauthenticated('the token is not valid');
      // Digests have one length, so that comparing them tells nothing about the key, its length included.
      if (apiKeyDigest && timingSafeEqual(digest(bearer), apiKeyDigest)) return apiKeyPrincipal;
      try {
        return await verifyToken(bearer);
      } catch (cause) {
        if (cause instanceof errors.JWTExpired) throw tokenExpired('the token has expired', { cause });
        throw unauthenticated('the token is not valid', { cause });
      }
    },
  };
}

function readKeys(pem: string) {
  try {
    return readPublicKeys(pem);
  } catch (error) {
    throw new ConfigError('TOKEN_PUBLIC_KEY', (error as Error).message);
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
