import { connect } from 'node:net';
import { defineError } from '@switchyard/errors';
import { recordingLogger } from '@switchyard/test-kit';
import t from 'tap';
import Type from 'typebox';
import { ok, type ServiceApp, succeed } from '../src/index.ts';
import { bearer, exchange, listen } from './helper.ts';

const orderUnknown = defineError('ORDER_UNKNOWN', 404, 'never');

function routes(app: ServiceApp): void {
  app.post(
    '/api/v1/orders',
    {
      schema: {
        body: Type.Object(
          { to: Type.String(), count: Type.Integer(), note: Type.Optional(Type.String()) },
          { additionalProperties: false },
        ),
        querystring: Type.Object({ limit: Type.Optional(Type.Integer()) }),
        response: { 200: ok(Type.Object({ to: Type.String(), limit: Type.Integer() })) },
      },
    },
    async ({ body, query }) => succeed({ to: body.to, limit: query.limit ?? 0 }),
  );
  app.post('/api/v1/anything', async ({ body }) => succeed(body));
  app.get('/api/v1/orders/:id', async () => {
    throw orderUnknown('no order has this id', { details: { id: 'x' }, cause: new Error('inner secret') });
  });
  app.get('/api/v1/broken', async () => {
    throw new Error('the database password is hunter2');
  });
  app.get('/api/v1/broken-with-status', async () => {
    throw Object.assign(new Error('NoSuchBucket: internal-bucket'), { statusCode: 404 });
  });
  app.get('/api/v1/thrown-text', async () => {
    throw 'text with a secret';
  });
  app.get(
    '/api/v1/badly-shaped',
    { schema: { response: { 200: ok(Type.Object({ id: Type.String() })) } } },
    // The type says otherwise; what is tested is the answer when it lies.
    async () => succeed(undefined as unknown as { id: string }),
  );
}

t.test('every answer is in the envelope', async (t) => {
  const { url } = await listen(t, { routes });
  const headers = await bearer();
  const call = async (method: string, path: string, body?: string, type = 'application/json') => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    t.notMatch(text, /\bat .*\.ts|stack|secret|hunter2|bucket/i, `${method} ${path} keeps inner detail`);
    return { status: response.status, json: JSON.parse(text) };
  };
  const refused = (code: string) => ({ success: false, error: { code, message: String } });

  t.match(await call('POST', '/api/v1/orders?limit=5', '{"to":"a","count":1}'), {
    status: 200,
    json: { success: true, data: { to: 'a', limit: 5 } },
  });
  t.match(await call('POST', '/api/v1/orders', '{"to":"a","count":"1"}'), {
    status: 400,
    json: {
      error: {
        code: 'VALIDATION_FAILED',
        details: { fields: [{ field: 'body.count', problem: /integer/ }] },
      },
    },
  });
  t.match(await call('POST', '/api/v1/orders', '{"count":1}'), {
    status: 400,
    json: { error: { details: { fields: [{ field: 'body.to' }] } } },
  });
  t.match(await call('POST', '/api/v1/orders', '{"to":"a","count":1,"extra":1}'), {
    status: 400,
    json: { error: { details: { fields: [{ field: 'body.extra' }] } } },
  });
  t.match(await call('POST', '/api/v1/orders?limit=many', '{"to":"a","count":1}'), {
    status: 400,
    json: { error: { details: { fields: [{ field: 'querystring.limit' }] } } },
  });
  for (const body of [
    '{"to":',
    '',
    '{"__proto__":{"admin":true}}',
    '{"constructor":{"prototype":{"a":1}}}',
  ]) {
    t.match(
      await call('POST', '/api/v1/anything', body),
      { status: 400, json: refused('BODY_MALFORMED') },
      body,
    );
  }
  t.equal(({} as Record<string, unknown>).admin, undefined, 'no prototype was changed');
  t.match(await call('POST', '/api/v1/anything', '<a/>', 'application/xml'), {
    status: 415,
    json: refused('MEDIA_TYPE_UNSUPPORTED'),
  });
  t.match(await call('POST', '/api/v1/anything', JSON.stringify('x'.repeat(1_048_577))), {
    status: 413,
    json: refused('BODY_TOO_LARGE'),
  });
  t.match(await call('GET', '/api/v1/orders/x'), {
    status: 404,
    json: { error: { code: 'ORDER_UNKNOWN', message: 'no order has this id', details: { id: 'x' } } },
  });
  t.match(await call('GET', '/api/v1/nothing'), { status: 404, json: refused('ROUTE_UNKNOWN') });
  t.match(await call('GET', '/%ff'), { status: 400, json: refused('REQUEST_MALFORMED') });
  t.match(await call('GET', `/api/v1/orders/${'x'.repeat(300)}`), { json: { success: false } });
  for (const path of ['broken', 'broken-with-status', 'thrown-text', 'badly-shaped']) {
    t.match(await call('GET', `/api/v1/${path}`), { status: 500, json: refused('INTERNAL_ERROR') }, path);
  }
});

t.test('an unknown error is logged with its cause', async (t) => {
  const { logger, lines } = recordingLogger();
  const { url } = await listen(t, { routes, logger });
  const response = await fetch(`${url}/api/v1/broken`, { headers: await bearer() });
  t.match(await response.json(), { error: { code: 'INTERNAL_ERROR' } });
  t.match(
    lines.find(({ msg }) => msg === 'request failed'),
    {
      level: 50,
      requestId: response.headers.get('x-request-id'),
      err: { message: /hunter2/ },
    },
  );
});

t.test('what is not HTTP is answered in the envelope too', async (t) => {
  const { port } = await listen(t, { env: { HTTP_REQUEST_TIMEOUT_MS: '300' }, routes });
  const failure = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)).error.code;

  t.equal(failure(await exchange(port, 'NONSENSE\r\n\r\n')), 'REQUEST_MALFORMED');
  t.equal(
    failure(await exchange(port, `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)),
    'HEADERS_TOO_LARGE',
  );
  const { authorization } = await bearer();
  const slowBody = `POST /api/v1/anything HTTP/1.1\r\nhost: a\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"a"`;
  t.equal(failure(await exchange(port, slowBody)), 'REQUEST_TIMED_OUT');
  t.equal(failure(await exchange(port, 'GET / HTTP/1.1\r\nhost: a\r\nx-half')), 'REQUEST_TIMED_OUT');
});

t.test('a body larger than announced limits is refused without being read', async (t) => {
  const { port } = await listen(t, { routes });
  const { authorization } = await bearer();
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.setEncoding('utf8');
  socket.write(
    `POST /api/v1/anything HTTP/1.1\r\nhost: a\r\nauthorization: ${authorization}\r\n` +
      'content-type: application/json\r\ncontent-length: 2000000\r\n\r\n',
  );
  for await (const chunk of socket) {
    t.match(chunk, /^HTTP\/1.1 413/);
    break;
  }
});
