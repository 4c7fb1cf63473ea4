import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Cluster, Redis } from 'ioredis';
import { unauthenticated } from '../errors.ts';
import { addressKey, createApiLimit } from './create-api-limit.ts';
import type { TokenVerifier } from './create-token-verifier.ts';
import { actFor, checkScopes, type Principal } from './principal.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Sets `request.principal` or answers 401. Routes under `/api/v1` have it already, before their body is read;
     * others name it as `onRequest` or `preHandler`.
     */
    authenticate: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  }
  interface FastifyRequest {
    /** Who makes this request. @throws CodedError UNAUTHENTICATED where nobody was authenticated. */
    readonly principal: Principal;
    /** Who makes this request, if that is known. */
    maybePrincipal: Principal | undefined;
  }
  interface FastifyContextConfig {
    /** A route under `/api/v1` that needs no token, such as the one that issues them. */
    public?: boolean;
  }
}

/** What authentication needs. */
export interface AuthenticationSettings {
  service: string;
  verifier: TokenVerifier;
  apiRatePerMinute: number;
  authFailuresPerMinute: number;
  cache?: Redis | Cluster | undefined;
}

/**
 * Adds the token check. Every route under `/api/v1` has it unless its `config.public` is true: a route that forgets
 * it must not be open.
 */
export async function installAuthentication(
  app: FastifyInstance,
  settings: AuthenticationSettings,
): Promise<void> {
  const { service, verifier, cache } = settings;
  const callLimit = await createApiLimit(app, {
    name: `${service}:api`,
    perMinute: settings.apiRatePerMinute,
    keyOf: ({ principal }) => `${principal.homeMerchantId}:${principal.subject}`,
    client: cache,
  });
  const failureLimit = await createApiLimit(app, {
    name: `${service}:auth-failure`,
    perMinute: settings.authFailuresPerMinute,
    keyOf: addressKey,
    client: cache,
  });

  async function identify(request: FastifyRequest, reply: FastifyReply): Promise<Principal> {
    try {
      const match = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '');
      if (!match?.[1]) throw unauthenticated('send a token or an API key as Authorization: Bearer');
      return await verifier.verify(match[1]);
    } catch (error) {
      // Only failures are counted: one who shares an address with an attacker is not locked out.
      await failureLimit(request, (name, value) => reply.header(name, value));
      reply.header('www-authenticate', 'Bearer');
      throw error;
    }
  }

  app.decorateRequest('maybePrincipal', undefined);
  app.decorateRequest('principal', {
    getter(this: FastifyRequest) {
      if (!this.maybePrincipal) throw unauthenticated('send a token or an API key as Authorization: Bearer');
      return this.maybePrincipal;
    },
  });
  app.decorate('authenticate', async (request: FastifyRequest, reply: FastifyReply) => {
    if (request.maybePrincipal) return;
    const principal = await identify(request, reply);
    // Set before x-merchant-id is looked at, so that the audit names who was refused.
    request.maybePrincipal = principal;
    await callLimit(request, (name, value) => reply.header(name, value));
    request.maybePrincipal = actFor(principal, request.headers['x-merchant-id']);
  });
  app.addHook('onRoute', (route) => {
    if (!/^\/api\/v1(\/|$)/.test(route.url) || route.config?.public) return;
    const hooks = route.onRequest === undefined ? [] : [route.onRequest].flat();
    route.onRequest = [app.authenticate, ...hooks];
  });
}

/**
 * Makes a hook that lets only holders of all the scopes pass. Runs after authentication.
 *
 * @example app.post('/api/v1/messages', { onRequest: requireScope('messages:write') }, handler)
 */
export function requireScope(...scopes: readonly string[]) {
  return async (request: FastifyRequest): Promise<void> => checkScopes(request.principal, scopes);
}
