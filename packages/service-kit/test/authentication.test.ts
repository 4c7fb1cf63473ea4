import { once } from 'node:events';
import { connect } from 'node:net';
import { until } from '@switchyard/test-kit';
import t from 'tap';
import {
  type AuditEntry,
  createTokenVerifier,
  requireScope,
  type ServiceApp,
  succeed,
} from '../src/index.ts';
import { apiKey, bearer, listen } from './helper.ts';

function routes(app: ServiceApp): void {
  app.get('/api/v1/whoami', async ({ principal }) => succeed(principal));
  app.post('/api/v1/messages', { onRequest: requireScope('messages:write') }, async () => succeed(null));
  app.post('/api/v1/token', { config: { public: true } }, async () => succeed('open'));
  app.post('/api/v1/admin', { onRequest: requireScope('admin') }, async () => succeed(null));
  app.get('/elsewhere', { preHandler: app.authenticate }, async ({ principal }) => succeed(principal));
  app.delete('/api/v1/things/:id', async () => succeed(null));
  app.post('/api/v1/fails', async () => {
    throw new Error('broken');
  });
}

t.test('a route under /api/v1 is closed unless it says that it is public', async (t) => {
  const { url } = await listen(t, { routes });
  const status = async (path: string, init: RequestInit = {}) => (await fetch(`${url}${path}`, init)).status;
  t.equal(await status('/api/v1/whoami'), 401);
  t.equal(await status('/api/v1/whoami', { method: 'HEAD' }), 401);
  t.equal(await status('/elsewhere'), 401);
  t.equal(await status('/api/v1/token', { method: 'POST' }), 200);
  t.equal(await status('/api/v1/messages', { method: 'POST' }), 401);
  t.equal(
    await status('/api/v1/messages', {
      method: 'POST',
      body: 'x'.repeat(2_000_000),
      headers: { 'content-type': 'x/y' },
    }),
    401,
    'before the body is looked at',
  );
  for (const authorization of [
    `Basic ${apiKey}`,
    'Bearer',
    'Bearer ',
    `Bearer ${apiKey} more`,
    `Bearer a, Bearer ${apiKey}`,
  ]) {
    t.equal(await status('/api/v1/whoami', { headers: { authorization } }), 401, authorization);
  }
  const refused = await fetch(`${url}/api/v1/whoami`, { headers: { authorization: 'Bearer wrong' } });
  t.equal(refused.headers.get('www-authenticate'), 'Bearer');
  t.match(await refused.json(), { success: false, error: { code: 'UNAUTHENTICATED' } });
  t.equal(await status('/api/v1/whoami', { headers: { authorization: `bearer ${apiKey}` } }), 200);
  t.equal(await status('/elsewhere', { headers: await bearer() }), 200);
});

t.test('a scope that is missing is named', async (t) => {
  const { url } = await listen(t, { routes });
  const post = async (path: string, scopes: string[]) => {
    const response = await fetch(`${url}${path}`, { method: 'POST', headers: await bearer({ scopes }) });
    return { status: response.status, json: await response.json() };
  };
  t.match(await post('/api/v1/messages', ['contacts:read']), {
    status: 403,
    json: { error: { code: 'SCOPE_MISSING', details: { scope: 'messages:write' } } },
  });
  t.match(await post('/api/v1/messages', ['messages:write']), { status: 200 });
  t.match(await post('/api/v1/messages', ['*']), { status: 200 });
  t.match(await post('/api/v1/admin', ['*']), { status: 403 }, 'every scope of a merchant is not admin');
  t.match(await post('/api/v1/admin', ['admin']), { status: 200 });
});

t.test('nobody reaches another merchant, but for an admin who says so', async (t) => {
  const { url } = await listen(t, { routes });
  const whoami = async (scopes: string[], merchant: string, path = '/api/v1/whoami') => {
    const headers = { ...(await bearer({ scopes, merchantId: 'm1' })), 'x-merchant-id': merchant };
    const response = await fetch(`${url}${path}`, { headers });
    return { status: response.status, json: await response.json() };
  };
  t.match(await whoami(['*'], 'm2'), { status: 403, json: { error: { code: 'MERCHANT_FORBIDDEN' } } });
  t.match(await whoami(['*'], 'm1'), { status: 200, json: { data: { merchantId: 'm1' } } });
  t.match(await whoami(['*'], 'm1', '/api/v1/whoami?merchantId=m2'), {
    json: { data: { merchantId: 'm1' } },
  });
  t.match(await whoami(['admin'], 'm2'), { json: { data: { merchantId: 'm2', homeMerchantId: 'm1' } } });
  t.match(await whoami(['admin'], '../m2'), { status: 403 });
  t.match(await whoami(['admin'], 'm2, m3'), { status: 403 });
});

t.test('every mutation is recorded, done or refused, without its body', async (t) => {
  const entries: AuditEntry[] = [];
  const audit = { record: async (entry: AuditEntry) => void entries.push(entry) };
  const { url } = await listen(t, { routes, audit });
  const headers = {
    ...(await bearer({ scopes: ['admin'] })),
    'x-merchant-id': 'm2',
    'content-type': 'application/json',
  };
  const send = (method: string, path: string, more: RequestInit = {}) =>
    fetch(`${url}${path}`, { method, ...more });

  await send('GET', '/api/v1/whoami', { headers });
  await send('POST', '/api/v1/nothing', { headers, body: '{}' });
  const done = await send('DELETE', '/api/v1/things/t-1?secret=1', {
    headers: { ...headers, 'x-request-id': 'r-1' },
    body: '{"secret":1}',
  });
  t.equal(done.status, 200);
  await send('POST', '/api/v1/messages', { headers, body: '{}' });
  await send('POST', '/api/v1/fails', { headers, body: '{}' });
  await send('POST', '/api/v1/messages');
  await until(() => entries.length === 4, { what: 'four entries' });
  t.match(entries, [
    {
      service: 'tested',
      subject: 'user-1',
      merchantId: 'm2',
      homeMerchantId: 'm1',
      method: 'DELETE',
      route: '/api/v1/things/:id',
      params: { id: 't-1' },
      status: 200,
      outcome: 'done',
      requestId: 'r-1',
      correlationId: 'r-1',
    },
    { route: '/api/v1/messages', status: 403, outcome: 'refused', subject: 'user-1' },
    { route: '/api/v1/fails', status: 500, outcome: 'failed' },
    { route: '/api/v1/messages', status: 401, outcome: 'refused', subject: undefined },
  ]);
  t.notMatch(JSON.stringify(entries), /secret/);
});

t.test('a caller who hangs up before the answer is recorded too', async (t) => {
  const entries: AuditEntry[] = [];
  const arrived = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const { port } = await listen(t, {
    audit: { record: async (entry) => void entries.push(entry) },
    routes: (app) =>
      app.post('/api/v1/slow', async () => {
        arrived.resolve();
        await gone.promise;
        return succeed(null);
      }),
  });
  const socket = connect(port, '127.0.0.1');
  const { authorization } = await bearer();
  socket.write(
    `POST /api/v1/slow HTTP/1.1\r\nhost: a\r\nauthorization: ${authorization}\r\ncontent-length: 0\r\n\r\n`,
  );
  await arrived.promise;
  socket.destroy();
  await once(socket, 'close');
  gone.resolve();
  await until(() => entries.length === 1, { what: 'the entry' });
  t.match(entries, [{ route: '/api/v1/slow', subject: 'user-1', status: 200 }]);
});

t.test('an audit that fails fails no request, and closing waits for one under way', async (t) => {
  const held = Promise.withResolvers<void>();
  let recorded = 0;
  const { app, url } = await listen(t, {
    routes,
    audit: {
      async record() {
        if (recorded++ === 0) throw new Error('the audit store is away');
        await held.promise;
        recorded = 10;
      },
    },
  });
  const headers = await bearer();
  t.equal((await fetch(`${url}/api/v1/things/1`, { method: 'DELETE', headers })).status, 200);
  t.equal((await fetch(`${url}/api/v1/things/2`, { method: 'DELETE', headers })).status, 200);
  await until(() => recorded === 2, { what: 'the second entry' });
  const closed = app.close();
  setImmediate(() => held.resolve());
  await closed;
  t.equal(recorded, 10);
});

t.test('without keys nobody is let in', async (t) => {
  const { url } = await listen(t, { routes, verifier: createTokenVerifier({ publicKeys: undefined }) });
  t.equal((await fetch(`${url}/api/v1/whoami`, { headers: await bearer() })).status, 401);
});
