import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import t, { type Test } from 'tap';
import { checkUrl, createSafeClient, isPublicAddress, lookupPublic, toFetch } from '../src/index.ts';

const strict = { allowPrivateNetworks: false };

async function listen(t: Test, handler: RequestListener, host = '127.0.0.1') {
  let hits = 0;
  let connections = 0;
  const server = createServer((request, response) => {
    hits += 1;
    handler(request, response);
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, host);
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, hits: () => hits, connections: () => connections, url: `http://127.0.0.1:${port}/` };
}

function client(t: Test, options: Partial<Parameters<typeof createSafeClient>[0]> = {}) {
  const made = createSafeClient({
    timeoutMs: 20_000,
    maxBytes: 1_000_000,
    allowPrivateNetworks: true,
    ...options,
  });
  t.teardown(() => made.close());
  return made;
}

/** Every way of writing "this machine" and its neighbours that we know of. */
const hostile = (port: number) => [
  `http://127.0.0.1:${port}/`,
  `http://127.1:${port}/`,
  `http://127.0.0.1.:${port}/`,
  `http://2130706433:${port}/`,
  `http://0x7f000001:${port}/`,
  `http://0x7f.1:${port}/`,
  `http://0177.0.0.1:${port}/`,
  `http://017700000001:${port}/`,
  `http://127.0.0.1%2e:${port}/`,
  `http://①②⑦.⓪.⓪.①:${port}/`,
  `http://127。0。0。1:${port}/`,
  `http://0:${port}/`,
  `http://0.0.0.0:${port}/`,
  `http://localhost:${port}/`,
  `http://LOCALHOST.:${port}/`,
  `http://app.localhost:${port}/`,
  `http://[::1]:${port}/`,
  `http://[0:0:0:0:0:0:0:1]:${port}/`,
  `http://[::]:${port}/`,
  `http://[::ffff:127.0.0.1]:${port}/`,
  `http://[::ffff:7f00:1]:${port}/`,
  `http://[::127.0.0.1]:${port}/`,
  `http://[::ffff:0:127.0.0.1]:${port}/`,
  `http://[64:ff9b::127.0.0.1]:${port}/`,
  `http://[64:ff9b:1::7f00:1]:${port}/`,
  `http://[2002:7f00:1::]:${port}/`,
  `http://[2001:0:7f00:1::]:${port}/`,
  `http://[fe80::1]:${port}/`,
  `http://[fec0::1]:${port}/`,
  `http://[fd00:ec2::254]:${port}/`,
  `http://[100::1]:${port}/`,
  `http://[ff02::1]:${port}/`,
  'http://169.254.169.254/latest/meta-data/iam/',
  'http://169.254.170.2/v2/credentials',
  'http://100.100.100.200/latest/meta-data/',
  'http://192.0.0.192/latest/',
  'http://168.63.129.16/machine/',
  'http://metadata.google.internal/computeMetadata/v1/',
  'http://10.1.2.3/',
  'http://172.16.0.1/',
  'http://172.31.255.254/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://198.18.0.1/',
  'http://224.0.0.1/',
  'http://240.0.0.1/',
  'http://255.255.255.255/',
  'http://printer.local/',
  'ftp://example.com/',
  'file:///etc/passwd',
  'gopher://example.com/',
  'http://user:secret@example.com/',
  'http://',
  '//example.com/',
  '',
];

t.test('no spelling of an inside address gets as far as a connection', async (t) => {
  const inside = await listen(t, (_request, response) => response.end('secret'));
  const inside6 = await listen(t, (_request, response) => response.end('secret'), '::1').catch(
    () => undefined,
  );
  const guarded = client(t, strict);
  for (const port of inside6 ? [inside.port, inside6.port] : [inside.port])
    for (const url of hostile(port))
      await t.rejects(
        guarded.request({ method: 'GET', url }),
        { code: 'ADDRESS_REFUSED', outcome: 'never' },
        url,
      );
  t.equal(inside.connections() + (inside6?.connections() ?? 0), 0);
});

t.test('addresses of this machine that are not loopback are refused too', async (t) => {
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  for (const { address } of own.filter(({ family }) => family === 'IPv4'))
    if (/^(127|10|192\.168|172\.(1[6-9]|2\d|3[01])|169\.254)\./.test(address))
      t.throws(() => checkUrl(`http://${address}/`, strict), { code: 'ADDRESS_REFUSED' }, address);
});

t.test('public addresses and names pass', async (t) => {
  for (const url of [
    'https://example.com/x?y=1',
    'http://93.184.216.34/',
    'http://172.32.0.1/',
    'http://[2606:2800:220:1::1]/',
    'https://internal.example.com/',
    'https://mylocalhost.com/',
  ])
    t.equal(checkUrl(url, strict).href, url);
  t.ok(isPublicAddress('1.1.1.1'));
  for (const address of ['', 'localhost', '1.2.3.4.5']) t.notOk(isPublicAddress(address), address);
});

t.test(
  'a name is looked up when it is connected to, and one inside address among others is enough',
  async (t) => {
    for (const all of [true, false]) {
      const error = await new Promise((resolve) =>
        lookupPublic('localhost', { all }, (error) => resolve(error)),
      );
      t.match(error, { code: 'ADDRESS_REFUSED' });
    }
    const unknown = await new Promise((resolve) =>
      lookupPublic('name.invalid', { all: true }, (error) => resolve(error)),
    );
    t.match(unknown, { syscall: 'getaddrinfo' });
  },
);

t.test('the guard holds for a name that passes the first check', async (t) => {
  // Every address of the loopback net is this machine; its host name is what a rebound name would be.
  const inside = await listen(t, (_request, response) => response.end('secret'), '0.0.0.0');
  const guarded = client(t, strict);
  const { hostname } = await import('node:os');
  const name = hostname();
  const error = await guarded
    .request({ method: 'GET', url: `http://${name}:${inside.port}/` })
    .catch((error) => error);
  t.match(error.code, /^(ADDRESS_REFUSED|REQUEST_FAILED)$/);
  t.equal(inside.connections(), 0);
});

t.test(
  'a redirect is checked like the first address, loses what was meant for the first origin, and ends',
  async (t) => {
    const seen: Record<string, unknown>[] = [];
    const target = await listen(t, (request, response) => {
      seen.push({ method: request.method, ...request.headers });
      response.end('moved');
    });
    const from = await listen(t, (request, response) => {
      const to: Record<string, string> = {
        '/inside': 'http://169.254.169.254/',
        '/file': 'file:///etc/passwd',
        '/loop': '/loop',
        '/other': target.url,
        '/see-other': target.url,
      };
      response.writeHead(request.url === '/see-other' ? 303 : 307, { location: to[request.url ?? ''] }).end();
    });
    const open = client(t);
    const base = from.url.slice(0, -1);
    await t.rejects(open.request({ method: 'GET', url: `${base}/file`, maxRedirects: 5 }), {
      code: 'ADDRESS_REFUSED',
    });
    await t.rejects(open.request({ method: 'GET', url: `${base}/loop`, maxRedirects: 3 }), {
      code: 'REDIRECT_REFUSED',
    });
    t.equal(
      (await open.request({ method: 'GET', url: `${base}/other` })).status,
      307,
      'none is followed unasked',
    );
    const headers = { authorization: 'Bearer x', 'x-api-key': 'y', 'content-type': 'text/plain' };
    const answer = await open.request({
      method: 'POST',
      url: `${base}/other`,
      headers,
      body: 'z',
      maxRedirects: 1,
    });
    t.equal(answer.body.toString(), 'moved');
    t.match(seen[0], { method: 'POST', 'content-type': 'text/plain' });
    t.notOk(seen[0]?.authorization ?? seen[0]?.['x-api-key']);
    await open.request({ method: 'POST', url: `${base}/see-other`, headers, body: 'z', maxRedirects: 1 });
    t.match(seen[1], { method: 'GET' });
    t.notOk(seen[1]?.['content-type']);
  },
);

t.test(
  'a host that operators allow may be asked, and can lead nowhere else inside by a redirect',
  async (t) => {
    const inside = await listen(t, (_request, response) => response.end('secret'));
    const targets = [inside.url, `http://[::ffff:7f00:1]:${inside.port}/`, 'http://169.254.169.254/'];
    const allowed = await listen(t, (request, response) => {
      const location = targets[Number(request.url?.slice(1))];
      if (location === undefined) response.end('fine');
      else response.writeHead(302, { location }).end();
    });
    const guarded = client(t, { ...strict, allowedHosts: [`127.0.0.1:${allowed.port}`] });
    t.equal((await guarded.request({ method: 'GET', url: `${allowed.url}x` })).body.toString(), 'fine');
    for (const at of targets.keys())
      await t.rejects(guarded.request({ method: 'GET', url: allowed.url + at, maxRedirects: 5 }), {
        code: 'ADDRESS_REFUSED',
      });
    t.equal(inside.connections(), 0);
  },
);

t.test('50 MB, announced or not, end at the limit without growing the memory', async (t) => {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  let written = 0;
  const server = await listen(t, (request, response) => {
    if (request.url === '/announced') response.setHeader('content-length', 50 * 1024 * 1024);
    const push = () => {
      while (written < 800 && !response.destroyed) {
        written += 1;
        if (!response.write(chunk)) return void response.once('drain', push);
      }
      response.end();
    };
    push();
  });
  const open = client(t);
  const before = process.memoryUsage();
  for (let round = 0; round < 5; round += 1) {
    written = 0;
    await t.rejects(open.request({ method: 'GET', url: server.url }), {
      code: 'RESPONSE_TOO_LARGE',
      outcome: 'never',
    });
    t.ok(written < 400, 'the sender was stopped early');
  }
  await t.rejects(open.request({ method: 'GET', url: `${server.url}announced` }), {
    code: 'RESPONSE_TOO_LARGE',
  });
  const after = process.memoryUsage();
  t.ok(after.external + after.arrayBuffers - before.external - before.arrayBuffers < 64 * 1024 * 1024);
});

t.test('a server that hangs, drips or compresses ends in an error of its own', async (t) => {
  const server = await listen(t, (request, response) => {
    if (request.url === '/drip') {
      response.write('a');
      const timer = setInterval(() => response.write('a'), 20);
      response.on('close', () => clearInterval(timer));
    }
    if (request.url === '/gzip') response.writeHead(200, { 'content-encoding': 'gzip' }).end('bomb');
    if (request.url === '/cut') request.socket.destroy();
  });
  const open = client(t);
  for (const path of ['hang', 'drip'])
    await t.rejects(open.request({ method: 'GET', url: server.url + path, timeoutMs: 200 }), {
      code: 'ANSWER_TIMED_OUT',
      outcome: 'retry',
    });
  await t.rejects(open.request({ method: 'GET', url: `${server.url}gzip` }), { code: 'RESPONSE_ENCODED' });
  await t.rejects(open.request({ method: 'GET', url: `${server.url}cut` }), { code: 'REQUEST_FAILED' });
  const stop = new AbortController();
  const asked = open.request({ method: 'GET', url: `${server.url}hang`, signal: stop.signal });
  stop.abort(new Error('shutdown'));
  await t.rejects(asked, { message: 'shutdown' });
});

t.test('headers can neither be broken out of nor change the framing', async (t) => {
  const server = await listen(t, (_request, response) => response.end());
  const open = client(t);
  for (const headers of [
    { 'x-a': 'b\r\nx-c: d' },
    { 'x-a': 'b\u0000' },
    { 'x-a': '\u2028' },
    { 'x a': 'b' },
    { '': 'b' },
    { Host: 'metadata.google.internal' },
    { 'Content-Length': '5' },
    { 'transfer-encoding': 'chunked' },
    { 'Proxy-Authorization': 'x' },
  ] as Record<string, string>[])
    await t.rejects(open.request({ method: 'GET', url: server.url, headers }), { code: 'HEADER_REFUSED' });
  t.equal(server.hits(), 0);
});

t.test('as a fetch it carries method, headers and body, forms included', async (t) => {
  const server = await listen(t, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.setHeader('x-type', request.headers['content-type'] ?? '');
      response.writeHead(201).end(Buffer.concat(chunks));
    });
  });
  const safeFetch = toFetch(client(t));
  const form = new FormData();
  form.set('file', new File([Buffer.from('voice')], 'a.ogg', { type: 'audio/ogg' }));
  const answer = await safeFetch(server.url, { method: 'POST', body: form });
  t.equal(answer.status, 201);
  t.match(answer.headers.get('x-type'), /^multipart\/form-data; boundary=/);
  t.match(await answer.text(), /filename="a.ogg"[\s\S]*voice/);
});
