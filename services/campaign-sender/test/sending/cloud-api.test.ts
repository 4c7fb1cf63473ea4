import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { freePort } from '@switchyard/test-kit';
import t, { type Test } from 'tap';
import { createCloudApi } from '../../src/sending/cloud-api.ts';

const call = { phoneNumberId: '1', accessToken: 'token', body: '{}' };

async function serve(t: Test, listener: RequestListener) {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function connect(t: Test, url: string, options: { timeoutMs?: number; connections?: number } = {}) {
  const api = createCloudApi({ url, version: 'v24.0', timeoutMs: 300, connections: 5, ...options });
  t.teardown(() => api.close());
  return api;
}

t.test('nothing was sent: refused, unknown host, a TLS handshake that never ends', async (t) => {
  t.match(await connect(t, `http://127.0.0.1:${await freePort()}`).send(call), {
    kind: 'not-sent',
    cause: /ECONNREFUSED/,
  });
  t.match(await connect(t, 'http://nowhere.invalid', { timeoutMs: 5000 }).send(call), { kind: 'not-sent' });
  const mute = createTcpServer((socket) => void socket.on('error', () => undefined));
  mute.listen(0, '127.0.0.1');
  await once(mute, 'listening');
  t.teardown(() => void mute.close());
  t.match(await connect(t, `https://127.0.0.1:${(mute.address() as AddressInfo).port}`).send(call), {
    kind: 'not-sent',
  });
});

t.test('a call that waits for a connection until its time is up is never written', async (t) => {
  let requests = 0;
  const url = await serve(t, () => {
    requests += 1;
  });
  const api = connect(t, url, { connections: 1 });
  const [first, second] = await Promise.all([api.send(call), api.send(call)]);
  t.match(first, { kind: 'unknown', cause: 'HTTP time-out' });
  t.equal(second.kind, 'not-sent');
  t.equal(requests, 1);
});

t.test(
  'a call tells how long it waited for a connection, and nothing of the kind when there was one',
  async (t) => {
    const url = await serve(t, (request, response) => {
      const answerMs = request.headers.authorization === 'Bearer slow' ? 200 : 0;
      request.resume().on('end', () => setTimeout(() => response.end('{"messages":[{"id":"w"}]}'), answerMs));
    });
    const api = connect(t, url, { connections: 1, timeoutMs: 10_000 });
    const [first, second] = await Promise.all([api.send({ ...call, accessToken: 'slow' }), api.send(call)]);
    t.ok(second.waitedMs! >= 195, `it waited ${second.waitedMs} ms of ${second.tookMs}`);
    t.ok(second.tookMs >= second.waitedMs!);
    t.ok(first.waitedMs! <= first.tookMs - 195, 'what the answer took is no waiting');
    const refused = await connect(t, `http://127.0.0.1:${await freePort()}`).send(call);
    t.equal(refused.waitedMs, undefined, 'never written');
  },
);

t.test('the end is unknown: no answer, a cut connection, half an answer, a page of a gateway', async (t) => {
  const ends: RequestListener[] = [
    (request) => void request.socket.destroy(),
    (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"messages":');
      setImmediate(() => response.destroy());
    },
    (_request, response) => void response.writeHead(502).end('<html>Bad gateway</html>'),
    (_request, response) => void response.writeHead(500).end('{"oops":true}'),
    (_request, response) => void response.writeHead(200).end('{"messages":[]}'),
  ];
  for (const end of ends) {
    const url = await serve(t, (request, response) => {
      request.resume().on('end', () => end(request, response));
    });
    t.equal((await connect(t, url).send(call)).kind, 'unknown');
  }
});

t.test('an answer is read: accepted with its id, refused with its code', async (t) => {
  const seen: string[] = [];
  const url = await serve(t, (request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.end(
      seen.length === 1
        ? '{"messages":[{"id":"wamid.1"}],"contacts":[{"wa_id":"1555"}]}'
        : '{"error":{"code":131056,"message":"(#131056)","error_data":{"details":"pair"}}}',
    );
  });
  const api = connect(t, `${url}/base/`);
  t.match(await api.send(call), { kind: 'accepted', providerMessageId: 'wamid.1', waId: '1555' });
  t.match(await api.send(call), { kind: 'rejected', code: 131056, details: 'pair' });
  t.equal(seen[0], 'POST /base/v24.0/1/messages Bearer token');
});
