import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { parseQuery } from '../../src/shopify/parse-query.ts';
import { control, start } from '../helper.ts';

async function graphql(url: string, query: string, variables: object = {}, token = 'simulator-shop-token') {
  const response = await fetch(`${url}/shopify/admin/api/2026-10/graphql.json`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-shopify-access-token': token },
    body: JSON.stringify({ query, variables }),
  });
  return {
    status: response.status,
    body: (await response.json()) as { data: never; errors?: { message: string }[]; extensions: never },
  };
}

t.test('queries are parsed as GraphQL writes them', async (t) => {
  const query = parseQuery(`
    # a comment
    query Find($q: String!, $n: Int = 5) {
      newest: orders(first: 1, query: $q, reverse: true) { nodes { id ... on Order { name } } pageInfo { hasNextPage } }
    }`);
  t.match(query, {
    name: 'Find',
    fields: [
      { name: 'orders', alias: 'newest', args: { first: 1, query: { variable: 'q' }, reverse: true } },
    ],
  });
  t.match(
    query.fields[0]?.fields[0]?.fields.map(({ name }) => name),
    ['id', 'name'],
  );
  for (const text of ['', '{', 'query {', 'mutation { a }', '{ a(b: ) }', '{ a } }'])
    t.throws(() => parseQuery(text), text);
});

t.test('records are found, paged and priced; what does not exist is an error', async (t) => {
  const { shopify, url } = await start(t);
  for (let n = 1; n <= 3; n += 1) shopify.data.addOrder({ email: 'ada@example.com' });
  const query =
    'query Q($after: String) { orders(first: 2, after: $after, query: "email:ada@example.com") { nodes { id name customer { id } } pageInfo { hasNextPage endCursor } } }';
  const first = (await graphql(url, query)).body;
  t.match(first, {
    data: { orders: { nodes: [{ name: '#1001' }, { name: '#1002' }], pageInfo: { hasNextPage: true } } },
    extensions: {
      cost: { requestedQueryCost: 6, throttleStatus: { maximumAvailable: 2000, restoreRate: 100 } },
    },
  });
  const { endCursor } = (first.data as { orders: { pageInfo: { endCursor: string } } }).orders.pageInfo;
  t.match((await graphql(url, query, { after: endCursor })).body.data, {
    orders: { nodes: [{ name: '#1003' }], pageInfo: { hasNextPage: false } },
  });
  t.match((await graphql(url, '{ shop { secret } }')).body.errors, [{ message: /doesn't exist/ }]);
  t.match(
    (await graphql(url, '{ orders(first: 250) { nodes { lineItems(first: 250) { nodes { id } } } } }')).body
      .errors,
    [{ extensions: { code: 'MAX_COST_EXCEEDED' } }],
  );
  t.equal((await graphql(url, '{ shop { name } }', {}, 'wrong')).status, 401);
});

t.test('an emptied bucket throttles until it has filled again', async (t) => {
  const { shopify, url } = await start(t);
  shopify.setBucket({ maximum: 2, restorePerSecond: 1 });
  t.ok((await graphql(url, '{ shop { plan { publicDisplayName } } }')).body.data);
  t.match(await graphql(url, '{ shop { plan { publicDisplayName } } }'), {
    status: 200,
    body: { errors: [{ extensions: { code: 'THROTTLED' } }] },
  });
});

t.test('webhooks are signed and tried again, and their ids keep all digits', async (t) => {
  const seen: { headers: Record<string, unknown>; body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen.push({ headers: request.headers, body });
    response.writeHead(seen.length === 1 ? 503 : 200).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const simulator = await start(t, {
    shopWebhookUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  });
  const { data } = await control(simulator, 'POST', 'shopify/orders', {
    email: 'ada@example.com',
    phone: '+15551230001',
  });
  const { id, delivery } = data as { id: string; delivery: object };
  t.match(delivery, { topic: 'orders/create', status: 200, attempts: 2 });
  const [first, second] = seen;
  t.equal(first?.headers['x-shopify-webhook-id'], second?.headers['x-shopify-webhook-id']);
  t.equal(
    second?.headers['x-shopify-hmac-sha256'],
    createHmac('sha256', simulator.shopify.apiSecret).update(second!.body).digest('base64'),
  );
  t.ok(id.length === 18 && second!.body.startsWith(`{"id":${id},`));
  t.match(JSON.parse(second!.body), {
    email: 'ada@example.com',
    name: '#1001',
    customer: { phone: '+15551230001' },
    line_items: [{ quantity: 2 }],
  });
});

t.test('a refresh token gives a new pair, and goes on until that is used', async (t) => {
  const simulator = await start(t);
  const { shopify, url } = simulator;
  const { refreshToken } = shopify.issueTokens({ expiresInSeconds: 0 });
  const refresh = async (token: string) => {
    const response = await fetch(`${url}/shopify/admin/oauth/access_token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_id: shopify.clientId,
        client_secret: shopify.apiSecret,
        grant_type: 'refresh_token',
        refresh_token: token,
      }),
    });
    return {
      status: response.status,
      body: (await response.json()) as { access_token: string; refresh_token: string },
    };
  };
  t.equal((await refresh(refreshToken)).status, 200);
  const { status, body } = await refresh(refreshToken);
  t.equal(status, 200);
  t.equal((await graphql(url, '{ shop { name } }', {}, body.access_token)).status, 200);
  t.equal((await refresh(refreshToken)).status, 400);
  t.equal((await refresh(body.refresh_token)).status, 200);
});
