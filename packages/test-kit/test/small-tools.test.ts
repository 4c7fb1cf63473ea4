import { createServer } from 'node:net';
import t from 'tap';
import { freePort, recordingLogger, signMeta, silentLogger, until } from '../src/index.ts';

t.test('until returns the first truthy value and treats errors as not yet', async (t) => {
  let calls = 0;
  const value = await until(() => {
    calls++;
    if (calls === 1) throw new Error('not up');
    return calls === 3 ? 'there' : undefined;
  });
  t.equal(value, 'there');
  t.equal(calls, 3);
});

t.test('until gives up with the state in words and the last error', async (t) => {
  const failing = until(() => Promise.reject(new Error('refused')), { timeoutMs: 30, what: 'it answers' });
  await t.rejects(failing, { message: 'it answers: not so after 30 ms', cause: { message: 'refused' } });
});

t.test('a free port can be listened on', async (t) => {
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await new Promise((resolve) => server.close(resolve));
  t.ok(port >= 10_000);
});

t.test('the recording logger keeps every line, children’s too', async (t) => {
  const { logger, lines } = recordingLogger();
  logger.child({ service: 'a' }).debug({ n: 1 }, 'one');
  logger.warn('two');
  t.match(lines, [
    { level: 20, service: 'a', n: 1, msg: 'one' },
    { level: 40, msg: 'two' },
  ]);
  silentLogger().error('nothing');
});

t.test('a signature is the HMAC-SHA256 of the bytes, in hex', async (t) => {
  // The vector of RFC 4231, test case 2.
  t.equal(
    signMeta('what do ya want for nothing?', 'Jefe'),
    'sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
});
