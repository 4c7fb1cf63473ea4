import t from 'tap';
import { succeed } from '../src/index.ts';
import { bearer, listen } from './helper.ts';

const names = [
  'content-security-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'referrer-policy',
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
];

t.test('answers carry the headers for browsers, refusals and pages that do not exist too', async (t) => {
  const { url } = await listen(t, {
    routes(app) {
      app.get('/api/v1/fine', async () => succeed(null));
      app.get('/api/v1/broken', async () => {
        throw new Error('broken');
      });
    },
  });
  const expected: [string, number, Record<string, string>?][] = [
    ['/api/v1/fine', 200, await bearer()],
    ['/api/v1/fine', 401],
    ['/api/v1/broken', 500, await bearer()],
    ['/nowhere', 404],
    ['/live', 200],
  ];
  for (const [path, status, headers = {}] of expected) {
    const response = await fetch(`${url}${path}`, { headers });
    t.equal(response.status, status, path);
    t.same(
      names.filter((name) => !response.headers.has(name)),
      [],
      `${path} ${status}`,
    );
  }
});

t.test('a route for providers does without, and names the request only where it fails', async (t) => {
  const { url } = await listen(t, {
    routes(app) {
      app.post('/hook', { config: { isForProviders: true } }, async ({ query }) => {
        if (Object.keys(query as object).length > 0) throw new Error('broken');
        return succeed(null);
      });
    },
  });
  const { status, headers } = await fetch(`${url}/hook`, { method: 'POST' });
  t.equal(status, 200);
  t.same(
    [...names, 'x-request-id', 'x-correlation-id'].filter((name) => headers.has(name)),
    [],
  );
  const failed = await fetch(`${url}/hook?fail`, { method: 'POST', headers: { 'x-request-id': 'req-7' } });
  t.equal(failed.status, 500);
  t.equal(failed.headers.get('x-request-id'), 'req-7');
  t.equal(failed.headers.get('x-correlation-id'), 'req-7');
});
