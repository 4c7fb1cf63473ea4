import type { FastifyInstance } from 'fastify';
import type { SimulatedShopify } from './create-shopify.ts';

/** The Admin API's GraphQL, and the refresh of tokens. `SHOPIFY_API_URL` is `<url>/shopify`. */
export async function shopifyRoutes(app: FastifyInstance, shopify: SimulatedShopify): Promise<void> {
  app.post<{ Body: { query?: string; variables?: Record<string, unknown> } }>(
    '/admin/api/:version/graphql.json',
    async (request, reply) => {
      const { query, variables } = request.body ?? {};
      if (typeof query !== 'string') return reply.code(400).send({ errors: 'query is required' });
      const token = String(request.headers['x-shopify-access-token'] ?? '');
      const fault = shopify.faults.strike(query);
      if (fault?.kind === 'hang' || fault?.kind === 'cut') {
        reply.hijack();
        if (fault.kind === 'cut') reply.raw.destroy();
        return reply;
      }
      if (fault?.kind === 'expire' || !shopify.isToken(token))
        return reply
          .code(401)
          .send({ errors: '[API] Invalid API key or access token (unrecognized login or wrong password)' });
      const { status, headers, body } = shopify.query(query, variables ?? {}, fault);
      return reply
        .code(status)
        .headers(headers ?? {})
        .send(body);
    },
  );

  app.post<{ Body: Record<string, string> }>('/admin/oauth/access_token', async (request, reply) => {
    const {
      client_id: clientId,
      client_secret: secret,
      grant_type: grant,
      refresh_token: refreshToken = '',
    } = request.body ?? {};
    if (clientId !== shopify.clientId || secret !== shopify.apiSecret || grant !== 'refresh_token')
      return reply.code(400).send({ error: 'invalid_client' });
    const fresh = shopify.refresh(refreshToken);
    if (!fresh) return reply.code(400).send({ error: 'invalid_grant' });
    return {
      access_token: fresh.accessToken,
      expires_in: fresh.expiresInSeconds,
      refresh_token: fresh.refreshToken,
      refresh_token_expires_in: 7_776_000,
      scope: 'read_orders,read_customers,read_products',
    };
  });
}
