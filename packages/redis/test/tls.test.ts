import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, silentLogger, startRedis } from '@switchyard/test-kit';
import t from 'tap';
import { checkRedisAtStart, connectRedis } from '../src/index.ts';
import { settingsOf } from './helper.ts';

const run = promisify(execFile);

const hasOpenssl = await run('openssl', ['version']).then(
  () => true,
  () => false,
);

t.test(
  'TLS: a trusted Redis is used, by URL and by REDIS_TLS_ENABLED, and an untrusted one refused',
  { skip: hasOpenssl ? false : 'openssl is not installed' },
  async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'switchyard-tls-'));
    t.teardown(() => rm(directory, { recursive: true, force: true }));
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    await run('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '1',
      ],
      ...['-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
    ]);
    const port = await freePort();
    await startRedis(t, {
      args: [
        ...['--tls-port', String(port), '--tls-cert-file', cert, '--tls-key-file', key],
        ...['--tls-ca-cert-file', cert, '--tls-auth-clients', 'no'],
      ],
    });
    const places = [
      { REDIS_URL: `rediss://localhost:${port}?family=4` },
      { REDIS_HOST: 'localhost', REDIS_PORT: String(port), REDIS_TLS_ENABLED: 'true' },
    ];
    const script = join(import.meta.dirname, 'fixtures/connect-by-tls.ts');
    for (const env of places) {
      const { stdout } = await run(process.execPath, ['--conditions=@switchyard/source', script], {
        env: { ...env, NODE_EXTRA_CA_CERTS: cert },
        timeout: 10_000,
      });
      t.equal(stdout, 'PONG\n');
      const { queue } = settingsOf(env);
      const client = connectRedis(queue, { profile: 'worker', logger: silentLogger() });
      await t.rejects(checkRedisAtStart(client, queue, { production: true, logger: silentLogger() }), {
        name: 'ConfigError',
        message: /^REDIS_(URL|HOST) names a Redis that could not be reached by TLS \(.*certificate/,
      });
    }
  },
);
