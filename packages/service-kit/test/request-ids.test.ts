import { recordingLogger, until } from '@switchyard/test-kit';
import fc from 'fast-check';
import t from 'tap';
import { jobMetaOf, parseTraceparent, succeed } from '../src/index.ts';
import { bearer, exchange, listen } from './helper.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

t.test(
  'ids that make sense are kept, returned, logged and carried to jobs; others are replaced',
  async (t) => {
    const { logger, lines } = recordingLogger();
    const { url } = await listen(t, {
      logger,
      routes: (app) => app.get('/api/v1/meta', async (request) => succeed(jobMetaOf(request))),
    });
    const call = async (headers: Record<string, string>) => {
      const response = await fetch(`${url}/api/v1/meta`, { headers: { ...(await bearer()), ...headers } });
      const { data } = (await response.json()) as { data: Record<string, string> };
      return {
        requestId: response.headers.get('x-request-id'),
        correlationId: response.headers.get('x-correlation-id'),
        ...data,
      };
    };
    const kept = await call({ 'x-request-id': 'req-1', 'x-correlation-id': 'conv:7', traceparent });
    t.match(kept, { requestId: 'req-1', correlationId: 'conv:7', merchantId: 'm1' });
    t.match(kept, { traceparent: new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`) });
    t.not((kept as Record<string, unknown>).traceparent, traceparent, 'with a span of its own');
    await until(() => lines.some(({ msg }) => msg === 'request answered'), { what: 'the log line' });
    t.match(
      lines.find(({ msg }) => msg === 'request answered'),
      {
        requestId: 'req-1',
        correlationId: 'conv:7',
        traceId,
        route: '/api/v1/meta',
        status: 200,
        merchantId: 'm1',
      },
    );

    const uuid = /^[0-9a-f-]{36}$/;
    const made = await call({});
    t.match(made, {
      requestId: uuid,
      correlationId: made.requestId,
      traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/,
    });
    for (const hostile of ['', 'a b', 'a,b', '<script>', 'x'.repeat(129), '{"a":1}', 'é']) {
      const replaced = await call({
        'x-request-id': hostile,
        'x-correlation-id': hostile,
        traceparent: hostile,
      });
      t.match(replaced, { requestId: uuid, correlationId: uuid }, hostile);
    }
  },
);

t.test('headers sent twice, or with bytes that break lines, do no harm', async (t) => {
  const { port } = await listen(t);
  const twice = await exchange(
    port,
    'GET /live HTTP/1.1\r\nhost: a\r\nx-request-id: one\r\nx-request-id: two\r\nconnection: close\r\n\r\n',
  );
  t.match(twice, /x-request-id: [0-9a-f-]{36}\r\n/);
  const broken = await exchange(
    port,
    'GET /live HTTP/1.1\r\nhost: a\r\nx-request-id: a\rset-cookie: b\r\n\r\n',
  );
  t.notMatch(broken, /set-cookie/i);
});

t.test('traceparent is read as W3C says', async (t) => {
  t.same(parseTraceparent(traceparent), { traceId, parentId: 'b7ad6b7169203331', flags: '01' });
  t.ok(parseTraceparent(`01-${traceId}-b7ad6b7169203331-00-more`), 'a later version may be longer');
  for (const wrong of [
    undefined,
    ['a'],
    `${traceparent}-more`,
    `ff-${traceId}-b7ad6b7169203331-01`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    traceparent.toUpperCase(),
  ]) {
    t.equal(parseTraceparent(wrong), undefined, String(wrong));
  }
  fc.assert(fc.property(fc.string(), (text) => parseTraceparent(text) === undefined));
});
