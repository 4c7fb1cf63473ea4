import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { parseJson } from '../../src/http/parse-json.ts';
import { context, startExecutors } from './helper.ts';

async function listen(
  t: Test,
  handler: (request: IncomingMessage, response: ServerResponse, body: string) => void,
) {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    handler(request, response, body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An installation that lets flows ask this one server inside. */
const allowing = (url: string, env: Record<string, string> = {}) => ({
  env: { FLOW_HTTP_ALLOWED_HOSTS: new URL(url).host, ...env },
});
const get = (url: string) => ({ kind: 'http' as const, method: 'GET' as const, url });

t.test(
  'a request carries what the flow says, under one key at every attempt; JSON comes back lossless',
  async (t) => {
    const seen: { headers: IncomingMessage['headers']; body: string }[] = [];
    const url = await listen(t, ({ headers }, response, body) => {
      seen.push({ headers, body });
      response.writeHead(201, { 'content-type': 'application/json; charset=utf-8', 'set-cookie': 'a=b' });
      response.end('{"id": 820982911946154508, "price": 1.5, "name": "Ada", "__proto__": {"admin": true}}');
    });
    const { executors } = await startExecutors(t, allowing(url));
    const call = { ...get(url), method: 'POST' as const, headers: { 'X-Key': 'k' }, json: { order: '1' } };
    const result = await executors.http!(call, context({ requestId: 'run_1_7' }));
    await executors.http!(call, context({ requestId: 'run_1_7', attempt: 2 }));
    t.strictSame((result as { value: { body: unknown } }).value.body, {
      id: '820982911946154508',
      price: 1.5,
      name: 'Ada',
    });
    t.match(result, { ok: true, value: { status: 201, headers: { 'content-type': /json/ } } });
    t.notOk((result as { value: { headers: object } }).value.headers['set-cookie' as never]);
    for (const { headers, body } of seen) {
      t.match(headers, { 'idempotency-key': 'run_1_7', 'x-key': 'k', 'content-type': 'application/json' });
      t.equal(body, '{"order":"1"}');
    }
  },
);

t.test('an answer of any status is an answer', async (t) => {
  const url = await listen(t, (request, response) => {
    if (request.url === '/text') response.writeHead(200, { 'content-type': 'text/plain' }).end('hello');
    else if (request.url === '/lies')
      response.writeHead(200, { 'content-type': 'application/json' }).end('<html>');
    else response.writeHead(503, { 'content-type': 'application/json' }).end('<html>');
  });
  const { executors } = await startExecutors(t, allowing(url));
  t.match(await executors.http!(get(`${url}/text`), context()), {
    ok: true,
    value: { status: 200, body: 'hello' },
  });
  t.match(await executors.http!(get(`${url}/away`), context()), {
    ok: true,
    value: { status: 503, body: '<html>' },
  });
  t.match(await executors.http!(get(`${url}/lies`), context()), { ok: false, code: 'HTTP_ANSWER_INVALID' });
});

t.test(
  'what leads inside, by itself or by a redirect, and what never ends, is a result and not tried again',
  async (t) => {
    let connections = 0;
    const inside = await listen(t, (_request, response) => {
      connections += 1;
      response.end('secret');
    });
    const url = await listen(t, (request, response) => {
      if (request.url === '/redirect') return void response.writeHead(302, { location: inside }).end();
      const chunk = Buffer.alloc(65_536);
      let left = 800;
      const push = () => {
        while (left > 0 && !response.destroyed) {
          left -= 1;
          if (!response.write(chunk)) return void response.once('drain', push);
        }
        response.end();
      };
      push();
    });
    const { executors } = await startExecutors(t, allowing(url));
    for (const hostile of [
      inside,
      inside.replace('127.0.0.1', 'localhost'),
      inside.replace('127.0.0.1', '[::ffff:7f00:1]'),
      inside.replace('127.0.0.1', '0x7f.1'),
      `${url}/redirect`,
      'http://169.254.169.254/latest/meta-data/',
      'http://metadata.google.internal/',
      'http://10.0.0.1/',
      'file:///etc/passwd',
      'no address',
    ])
      t.match(
        await executors.http!(get(hostile), context()),
        { ok: false, code: 'ADDRESS_REFUSED' },
        hostile,
      );
    t.equal(connections, 0);
    const before = process.memoryUsage().arrayBuffers;
    t.match(await executors.http!(get(`${url}/fifty-megabytes`), context()), {
      ok: false,
      code: 'RESPONSE_TOO_LARGE',
    });
    t.ok(process.memoryUsage().arrayBuffers - before < 20 * 1024 * 1024);
    const headers = { host: 'metadata.google.internal' };
    t.match(await executors.http!({ ...get(url), headers }, context()), {
      ok: false,
      code: 'HEADER_REFUSED',
    });
  },
);

t.test(
  'a host that hangs is tried again, then left alone, without taking the places of others',
  async (t) => {
    let asked = 0;
    const hanging = await listen(t, () => {
      asked += 1;
    });
    const { executors } = await startExecutors(t, allowing(hanging, { FLOW_HTTP_TIMEOUT_MS: '300' }));
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, () => executors.http!(get(hanging), context())),
    );
    const codes = results.map((result) => (result as PromiseRejectedResult).reason.code);
    t.equal(codes.filter((code) => code === 'ANSWER_TIMED_OUT').length, 8);
    t.equal(codes.filter((code) => code === 'CALLS_BUSY').length, 4);
    await t.rejects(executors.http!(get(hanging), context()), {
      code: 'HTTP_HOST_FAILING',
      outcome: 'retry',
    });
    t.equal(asked, 8);
    const stop = new AbortController();
    const other = context({ merchantId: 'mer_2', signal: stop.signal });
    const waiting = executors.http!(get(hanging), other);
    stop.abort(new Error('shutdown'));
    await t.rejects(waiting, { message: 'shutdown' });
  },
);

t.test('JSON is parsed without losing digits, and too deep JSON is an error', async (t) => {
  t.strictSame(parseJson('[9007199254740993, -9007199254740993, 1, 0.1, 1e300]'), [
    '9007199254740993',
    '-9007199254740993',
    1,
    0.1,
    1e300,
  ]);
  t.throws(() => parseJson('{'));
  t.throws(() => parseJson(`${'['.repeat(200_000)}${']'.repeat(200_000)}`));
});
