import { createPublicKey } from 'node:crypto';
import type { RateLimiter } from '@switchyard/redis';
import { ok, rateLimited, type ServiceApp, succeed, type TokenIssuer } from '@switchyard/service-kit';
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';
import Type from 'typebox';
import { tokensDisabled } from '../errors.ts';
import type { ApiKeys } from '../merchants/create-api-keys.ts';
import { Epoch } from './schemas.ts';

const Exchange = Type.Object(
  { apiKey: Type.String({ minLength: 1, maxLength: 512 }) },
  { additionalProperties: false },
);
const Token = Type.Object({
  token: Type.String(),
  tokenType: Type.Literal('Bearer'),
  expiresAtMs: Epoch,
  merchantId: Type.String(),
  scopes: Type.Array(Type.String()),
});

/** What the exchange needs. */
export interface TokenRoutesSettings {
  apiKeys: Pick<ApiKeys, 'holderOf'>;
  /** Without a signing key there is none. */
  issuer: TokenIssuer | undefined;
  /** Public keys, PEM, that tokens are checked with. */
  publicKeys: string | undefined;
  /** Wrong keys per address; undefined sets no limit. */
  failures: RateLimiter | undefined;
}

/** `POST /api/v1/tokens`, `GET /.well-known/jwks.json`. */
export async function registerTokens(app: ServiceApp, settings: TokenRoutesSettings): Promise<void> {
  const { apiKeys, issuer, failures } = settings;
  const keys = await toJwks(settings.publicKeys ?? '');

  app.post(
    '/api/v1/tokens',
    { config: { public: true }, schema: { tags: ['tokens'], body: Exchange, response: { 201: ok(Token) } } },
    async (request, reply) => {
      if (!issuer) throw tokensDisabled('this ingress has no TOKEN_SIGNING_KEY, so it issues no tokens');
      const holder = await apiKeys.holderOf(request.body.apiKey).catch(async (error: unknown) => {
        const { allowed, retryAfterMs } = (await failures?.consume(request.ip)) ?? {
          allowed: true,
          retryAfterMs: 0,
        };
        throw allowed ? error : rateLimited('too many wrong keys', { delayMs: Math.max(1000, retryAfterMs) });
      });
      const { token, expiresAtMs } = await issuer.issue(holder);
      reply.code(201).header('cache-control', 'no-store');
      return succeed({
        token,
        tokenType: 'Bearer' as const,
        expiresAtMs,
        merchantId: holder.merchantId,
        scopes: [...holder.scopes],
      });
    },
  );

  app.get('/.well-known/jwks.json', { schema: { tags: ['tokens'] } }, async (_request, reply) =>
    reply.header('cache-control', 'public, max-age=300').send({ keys }),
  );
}

async function toJwks(pem: string): Promise<JWK[]> {
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  return Promise.all(
    blocks.map(async (block) => {
      const jwk = await exportJWK(createPublicKey(block));
      return { ...jwk, kid: await calculateJwkThumbprint(jwk), use: 'sig', alg: 'EdDSA' };
    }),
  );
}
