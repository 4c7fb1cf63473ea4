import { once } from 'node:events';
import { connect } from 'node:net';
import { spawnNode, type TestProcess } from '@switchyard/test-kit';
import t, { type Test } from 'tap';

const file = new URL('./fixtures/service.ts', import.meta.url);

function run(t: Test, env: Record<string, string> = {}): TestProcess {
  return spawnNode(t, file, { env });
}

async function portOf(service: TestProcess): Promise<number> {
  return Number(/127\.0\.0\.1:(\d+)/.exec(await service.waitForLine(/listening at/))?.[1]);
}

/** The messages logged, in order. */
function messages({ output }: TestProcess): string[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line).msg);
}

function isOrdered(lines: string[], ...wanted: string[]): boolean {
  const places = wanted.map((each) => lines.findIndex((line) => line.startsWith(each)));
  return places.every((place, index) => place >= 0 && place > (places[index - 1] ?? -1));
}

t.test('R6.5: a stop ends requests under way, then closes in reverse order, and exits with 0', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const service = run(t);
    const port = await portOf(service);
    const idle = connect(port, '127.0.0.1').setEncoding('utf8');
    idle.write('GET /live HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n');
    await once(idle, 'data');
    const answer = fetch(`http://127.0.0.1:${port}/slow`);
    await service.waitForLine(/request under way/);
    const startedMs = performance.now();
    service.kill(signal);
    const response = await answer;
    t.equal(response.status, 200);
    t.same(await response.json(), { success: true, data: 'done' });
    t.equal(response.headers.get('connection'), 'close');
    t.same(await service.exited, { code: 0, signal: null });
    t.ok(performance.now() - startedMs < 10_000, 'the idle connection does not delay it');
    t.ok(
      isOrdered(
        messages(service),
        'stopping',
        'closing service',
        'closed http',
        'closing workers',
        'closed redis',
        'stopped',
      ),
      service.output,
    );
    idle.destroy();
  }
});

t.test('while it stops, new connections are refused and new requests on open ones get 503', async (t) => {
  const service = run(t);
  const port = await portOf(service);
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  t.teardown(() => socket.destroy());
  let answers = '';
  socket.on('data', (chunk) => {
    answers += chunk;
  });
  socket.write('GET /slow HTTP/1.1\r\nhost: a\r\n\r\n');
  await service.waitForLine(/request under way/);
  service.kill('SIGTERM');
  await service.waitForLine(/closing service/);
  socket.write('GET /slow HTTP/1.1\r\nhost: a\r\n\r\n');
  await t.rejects(fetch(`http://127.0.0.1:${port}/live`));
  await service.exited;
  t.match(answers, /^HTTP\/1.1 200/);
  t.equal(
    messages(service).filter((line) => line === 'request under way').length,
    1,
    'no new work was begun',
  );
});

t.test('a client that is too slow is cut off, so that the stop still is a clean one', async (t) => {
  const service = run(t, { SHUTDOWN_TIMEOUT_MS: '3000' });
  const port = await portOf(service);
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    'POST /live HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
  );
  await once(socket, 'ready');
  await fetch(`http://127.0.0.1:${port}/live`);
  t.same(await service.kill('SIGTERM'), { code: 0, signal: null });
  socket.destroy();
});

t.test('a stop that hangs is forced after the time-out and names what is still open', async (t) => {
  const service = run(t, { MODE: 'hang', SHUTDOWN_TIMEOUT_MS: '700' });
  await portOf(service);
  t.same(await service.kill('SIGTERM'), { code: 1, signal: null });
  t.match(messages(service).at(-1), /^exit forced: not closed within 700 ms; still open: workers, redis$/);

  const inner = run(t, { MODE: 'hang-inside', SHUTDOWN_TIMEOUT_MS: '700' });
  await portOf(inner);
  t.same(await inner.kill('SIGTERM'), { code: 1, signal: null });
  t.match(messages(inner).at(-1), /still open: outbox, producer, service, http, workers, redis$/);
});

t.test('a second signal forces the exit at once', async (t) => {
  const service = run(t, { MODE: 'hang' });
  await portOf(service);
  service.kill('SIGINT');
  await service.waitForLine(/closing workers/);
  t.same(await service.kill('SIGINT'), { code: 1, signal: null });
  t.match(messages(service).at(-1), /second signal \(SIGINT\); still open: workers, redis/);
});

t.test('a part that fails to close keeps no other from closing; the exit code tells', async (t) => {
  const service = run(t, { MODE: 'fail-to-close' });
  await portOf(service);
  t.same(await service.kill('SIGTERM'), { code: 1, signal: null });
  t.ok(isOrdered(messages(service), 'part did not close cleanly', 'closed redis'), service.output);
});

t.test('a wrong setting is exactly one line that names the variable, and exit 1', async (t) => {
  const direct = run(t, { PORT: 'many' });
  t.same(await direct.exited, { code: 1, signal: null });
  t.equal(direct.output, 'fixture: PORT must be a whole number\n');

  const weak = run(t, {
    NODE_ENV: 'production',
    SWITCHYARD_API_KEY: 'short',
    TOKEN_PUBLIC_KEY_FILE: '/nowhere',
  });
  await weak.exited;
  t.match(weak.output, /^fixture: TOKEN_PUBLIC_KEY_FILE names a file that can't be read \(ENOENT\)\n$/);

  const wrapped = run(t, { MODE: 'wrapped-config-error' });
  t.same(await wrapped.exited, { code: 1, signal: null });
  const plain = wrapped.output.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  t.same(plain, ['fixture: REDIS_URL names a Redis that does not answer']);
  t.ok(isOrdered(messages(wrapped), 'closed workers', 'closed redis'), 'what was open is closed');
});

t.test('a start that fails otherwise is logged and exits with 1', async (t) => {
  const service = run(t, { MODE: 'start-failure' });
  t.same(await service.exited, { code: 1, signal: null });
  t.ok(isOrdered(messages(service), 'start failed', 'closed redis'), service.output);
});

t.test('a signal during the start stops it, and closes what it opened meanwhile', async (t) => {
  const service = run(t, { MODE: 'slow-start' });
  await service.waitForLine(/starting slowly/);
  t.same(await service.kill('SIGTERM'), { code: 0, signal: null });
  t.ok(isOrdered(messages(service), 'closed late part', 'closed workers', 'closed redis'), service.output);
});

t.test('an unhandled rejection or exception is fatal, after everything is closed', async (t) => {
  for (const [path, message] of [
    ['reject', 'unhandled rejection'],
    ['throw', 'uncaught exception'],
  ] as const) {
    const service = run(t);
    const port = await portOf(service);
    await fetch(`http://127.0.0.1:${port}/${path}`).catch(() => undefined);
    t.same(await service.exited, { code: 1, signal: null });
    t.ok(isOrdered(messages(service), message, 'closed http', 'closed redis'), service.output);
    t.match(service.output, /"err":\{"type":"Error","message":"nobody/);
  }
});
