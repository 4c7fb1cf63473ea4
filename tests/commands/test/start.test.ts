import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { freePort, spawnNode, until } from '@switchyard/test-kit';
import t from 'tap';
import { createChild } from '../../../scripts/start/child.ts';
import { childEnvironment } from '../../../scripts/start/child-environment.ts';
import { formatLogLine } from '../../../scripts/start/log-line.ts';
import { choosePorts } from '../../../scripts/start/ports.ts';
import { processIdentity } from '../../../scripts/start/process-identity.ts';
import { takeRunLock } from '../../../scripts/start/run-lock.ts';
import { services, simulator } from '../../../scripts/start/service-list.ts';
import { simulatorEnvironment } from '../../../scripts/start/simulator-environment.ts';

t.test('a second start in the same folder is refused in one line that names the first', async (t) => {
  const folder = t.testdir();
  const lock = await takeRunLock(folder);
  await t.rejects(takeRunLock(folder), { message: new RegExp(`already runs .*process ${process.pid}`) });
  lock.release();
  (await takeRunLock(folder)).release();
  t.notOk(existsSync(join(folder, 'run.json')));
});

t.test('what a killed run left behind is ended by the next, and nothing else is', async (t) => {
  const folder = t.testdir();
  const orphan = spawn('sleep', ['60']);
  const stranger = spawn('sleep', ['60']);
  t.teardown(() => stranger.kill('SIGKILL'));
  const ended = once(orphan, 'exit');
  const entries = [
    { name: 'npm start', pid: 999_999_999, identity: '1' },
    { name: 'redis', pid: orphan.pid, identity: processIdentity(orphan.pid!) },
    // The id was given to another process since.
    { name: 'ingress', pid: stranger.pid, identity: 'earlier' },
  ];
  writeFileSync(join(folder, 'run.json'), JSON.stringify(entries));
  (await takeRunLock(folder)).release();
  t.same(await ended, [null, 'SIGTERM']);
  t.equal(stranger.exitCode ?? stranger.signalCode, null);
});

t.test('when a run is killed its children end, with what they have started', async (t) => {
  const run = spawnNode(t, new URL('./fixtures/guarded-run.ts', import.meta.url));
  const lines = [await run.waitForLine(/^service/), await run.waitForLine(/^redis/)];
  const [service, inner, redis] = [lines[0]!, lines[0]!, lines[1]!].map((line, index) =>
    Number(line.split(' ')[index === 1 ? 2 : 1]),
  );
  t.teardown(() => {
    for (const pid of lines.flatMap((line) => line.split(' ').slice(1)))
      if (processIdentity(Number(pid))) process.kill(Number(pid), 'SIGKILL');
  });
  t.ok(processIdentity(service!) && processIdentity(inner!) && processIdentity(redis!));
  await run.kill('SIGKILL');
  // Where nobody reaps orphans (a container without an init) the services stay listed, and Redis is left its 35 s.
  for (const pid of [service, inner, redis])
    await until(() => processIdentity(pid!) === undefined, {
      timeoutMs: 45_000,
      what: `process ${pid} has ended`,
    });
});

t.test('a port that is taken is named with the variable that changes it', async (t) => {
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const env = { INGRESS_PORT: String(port), NOTIFIER_PORT: 'x' };
  await t.rejects(choosePorts([services[0]!, services[3]!], env, '127.0.0.1'), {
    message: `Port ${port} (ingress) is taken by another program: set INGRESS_PORT to a free one.\nNOTIFIER_PORT must be a port number.`,
  });
});

t.test('a child that dies is reported and started again; one that is stopped is not', async (t) => {
  const folder = t.testdir();
  const printed: string[] = [];
  const pids: number[] = [];
  const child = createChild(
    {
      lock: { add: (_name, pid) => void pids.push(pid), release: () => undefined },
      guard: { add: () => undefined, dismiss: () => undefined },
      logFile: (name) => join(folder, `${name}.log`),
      print: (name, line) => void printed.push(`${name}: ${line}`),
    },
    {
      name: 'ingress',
      file: '/bin/sh',
      args: ['-c', 'echo \'{"level":50,"msg":"up"}\'; exec sleep 60'],
      cwd: folder,
      env: process.env,
      printLevel: 40,
    },
  );
  child.superviseFromNowOn();
  await until(() => printed.length === 1);
  process.kill(pids[0]!, 'SIGKILL');
  await until(() => printed.length === 3);
  t.same(printed, [
    'ingress: ERROR up',
    'ingress: ended (SIGKILL); it is started again in 1 s',
    'ingress: ERROR up',
  ]);
  await child.stop(5000);
  t.equal(processIdentity(pids[1]!), undefined);
  t.equal(printed.length, 3);
  t.match(readFileSync(join(folder, 'ingress.log'), 'utf8'), /up.*\n.*up/);
});

t.test('a process sees no secret that is none of its business', async (t) => {
  const shared = {
    TOKEN_SIGNING_KEY_FILE: 'a',
    TOKEN_PUBLIC_KEY_FILE: 'b',
    WHATSAPP_ACCESS_TOKEN: 'c',
    ENCRYPTION_KEYS: 'd',
    SMTP_URL: 'smtp://mail',
    AI_API_KEY: 'g',
    SHOPIFY_ACCESS_TOKEN: 'h',
    SHOPIFY_API_SECRET: 'i',
    npm_config_cache: 'e',
    PORT: 'f',
  };
  const seen = (entry: typeof simulator) =>
    Object.keys(childEnvironment(entry, shared, { PORT: '1' })).sort();
  t.same(seen(services[0]!), [
    'ENCRYPTION_KEYS',
    'PORT',
    'SHOPIFY_API_SECRET',
    'TOKEN_PUBLIC_KEY_FILE',
    'TOKEN_SIGNING_KEY_FILE',
    'WHATSAPP_ACCESS_TOKEN',
  ]);
  t.same(seen(services[2]!), [
    'AI_API_KEY',
    'ENCRYPTION_KEYS',
    'PORT',
    'SHOPIFY_ACCESS_TOKEN',
    'TOKEN_PUBLIC_KEY_FILE',
  ]);
  t.same(seen(services[3]!), ['ENCRYPTION_KEYS', 'PORT', 'SMTP_URL', 'TOKEN_PUBLIC_KEY_FILE']);
  t.same(seen(simulator), ['PORT', 'SHOPIFY_API_SECRET', 'TOKEN_PUBLIC_KEY_FILE', 'WHATSAPP_ACCESS_TOKEN']);
});

t.test('the simulator steps aside for real credentials, which must be whole', async (t) => {
  const whole = { WHATSAPP_PHONE_NUMBER_ID: '1', WHATSAPP_ACCESS_TOKEN: 'x', WHATSAPP_APP_SECRET: 's' };
  t.equal(simulatorEnvironment(whole), undefined);
  t.throws(() => simulatorEnvironment({ WHATSAPP_ACCESS_TOKEN: 'x' }), /^WHATSAPP_PHONE_NUMBER_ID must/);
  t.throws(() => simulatorEnvironment({ ...whole, WHATSAPP_APP_SECRET: '' }), /^WHATSAPP_APP_SECRET must/);
  const ports = new Map([
    ['ingress', 3100],
    ['simulator', 4100],
    ['smtp', 4125],
  ]);
  t.match(simulatorEnvironment({})?.(ports), {
    WHATSAPP_API_URL: 'http://127.0.0.1:4100',
    SIMULATOR_WEBHOOK_URL: 'http://127.0.0.1:3100/webhooks/whatsapp',
    AI_BASE_URL: 'http://127.0.0.1:4100/ai/v1',
    SHOPIFY_API_URL: 'http://127.0.0.1:4100/shopify',
    SMTP_URL: 'smtp://127.0.0.1:4125',
  });
  // What is configured is taken as it is, whole; in production nothing is assumed.
  const own = { AI_API_KEY: 'x', SHOPIFY_SHOP_DOMAIN: 'own.myshopify.com', SMTP_URL: 'smtp://mail' };
  for (const env of [own, { NODE_ENV: 'production' }]) {
    const names = Object.keys(simulatorEnvironment(env)?.(ports) ?? {});
    t.same(
      names.filter((name) => /^(AI|SHOPIFY|SMTP|EMAIL)_/.test(name)),
      [],
    );
  }
});

t.test('the terminal shows warnings shortened, and whatever is not a log line in full', async (t) => {
  t.equal(formatLogLine('{"level":30,"msg":"quiet"}', 40), undefined);
  t.equal(
    formatLogLine('{"level":40,"time":1,"pid":2,"msg":"slow","queue":"messages","err":{"message":"x"}}', 40),
    'warn slow queue=messages (x)',
  );
  t.equal(formatLogLine('{"level":"error","traceId":"a","msg":"no"}', 40), 'ERROR no');
  t.equal(formatLogLine('    at file.ts:1:1', 40), '    at file.ts:1:1');
});
