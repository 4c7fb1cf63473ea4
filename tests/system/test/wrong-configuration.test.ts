import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  createMysqlDatabase,
  createSqliteDatabase,
  freePort,
  isMysqlInstalled,
  spawnNode,
  startRedis,
} from '@switchyard/test-kit';
import t, { type Test } from 'tap';
import { createSecrets, mainOf, type ServiceName, serviceNames } from './system/settings.ts';

type Environment = Record<string, string | undefined>;

/** What is wrong, and the variable that the line must name. */
interface Mistake {
  name: string;
  variable: RegExp;
  env: Environment;
}

const startWithinMs = 5_000;
/** What an empty Node.js process takes from start to end on a machine that has nothing else to do, with a good margin. */
const bareStartMs = 100;

/** The five seconds, stretched by as much as this machine is slower at this moment than an idle one. */
async function limitNow(): Promise<number> {
  const startedAt = performance.now();
  await once(spawn(process.execPath, ['--eval', '0'], { stdio: 'ignore' }), 'exit');
  return startWithinMs * Math.max(1, (performance.now() - startedAt) / bareStartMs);
}

t.test('wrong configuration stops the start within 5 s with one line that names the variable', async (t) => {
  const [redis, hung, locked, small] = await Promise.all([
    startRedis(t),
    startRedis(t),
    startRedis(t, { password: 'right' }),
    startRedis(t, { args: ['--databases', '1'] }),
  ]);
  const { dataDir } = await createSqliteDatabase(t);
  await hung.freeze();
  const nobody = await freePort();
  const secrets = createSecrets();
  const right: Environment = { HOST: '127.0.0.1', PORT: '0', REDIS_URL: redis.url, DATA_DIR: dataDir };
  const production = { ...right, ...secrets, NODE_ENV: 'production', BULL_BOARD_USERNAME: 'ops' };
  const hasMysql = process.env.TEST_MYSQL_URL || process.env.CI || isMysqlInstalled();
  const mysql = hasMysql ? await createMysqlDatabase(t) : undefined;

  const mistakes: Mistake[] = [
    { name: 'a bad Redis URL', variable: /^REDIS_URL /, env: { REDIS_URL: 'localhost' } },
    { name: 'an unknown value', variable: /^LOG_LEVEL /, env: { LOG_LEVEL: 'loud' } },
    {
      name: 'a missing secret in production',
      variable: /^ENCRYPTION_KEYS /,
      env: { ...production, BULL_BOARD_PASSWORD: 'long enough to pass', ENCRYPTION_KEYS: undefined },
    },
    { name: 'Redis down', variable: /^REDIS_URL /, env: { REDIS_URL: `redis://127.0.0.1:${nobody}` } },
    { name: 'Redis hung', variable: /^REDIS_URL /, env: { REDIS_URL: hung.url } },
    {
      name: 'a wrong Redis password',
      variable: /^REDIS_URL /,
      env: { REDIS_URL: withPassword(locked.url, 'wrong') },
    },
    {
      name: 'a Redis database that does not exist',
      variable: /^REDIS_\w+_DB /,
      env: { REDIS_URL: small.url },
    },
    { name: 'a bad database URL', variable: /^DATABASE_URL /, env: { DATABASE_URL: 'postgres://x' } },
    {
      name: 'MySQL down',
      variable: /^DATABASE_URL /,
      env: { DATABASE_URL: `mysql://switchyard:switchyard@127.0.0.1:${nobody}` },
    },
    ...(mysql
      ? [
          {
            name: 'a wrong MySQL password',
            variable: /^DATABASE_URL /,
            env: { DATABASE_URL: withPassword(mysql.url ?? '', 'wrong') },
          },
        ]
      : []),
    { name: 'a data folder that can’t be made', variable: /^DATA_DIR /, env: { DATA_DIR: '/dev/null/data' } },
  ];
  // One after the other: the five seconds are those of a start that has the machine to itself.
  for (const service of serviceNames)
    await t.test(service, async (t) => {
      for (const { name, variable, env } of mistakes)
        await refuses(t, service, name, variable, { ...right, ...env });
      if (service === 'ingress')
        await refuses(t, service, 'a signing key that is missing in production', /^TOKEN_SIGNING_KEY /, {
          ...production,
          TOKEN_SIGNING_KEY: undefined,
        });
      if (service === 'metrics-exporter')
        await refuses(t, service, 'a default password in production', /^BULL_BOARD_PASSWORD /, {
          ...production,
          BULL_BOARD_PASSWORD: 'admin123',
        });
      const first = spawnNode(t, mainOf(service), { env: right });
      await first.waitForLine(/Server listening/);
      await refuses(t, service, 'a second process on a SQLite file', /^DATA_DIR /, right);
      t.equal((await first.kill()).code, 0, 'the first one is not disturbed');
    });
  t.ok(true, 'a wrong MySQL password', mysql ? {} : { skip: 'set TEST_MYSQL_URL or install mariadb-server' });
});

async function refuses(t: Test, service: ServiceName, what: string, variable: RegExp, env: Environment) {
  const limitBeforeMs = await limitNow();
  const startedAt = performance.now();
  const child = spawnNode(t, mainOf(service), { env });
  const late = setTimeout(() => void child.kill('SIGKILL'), 30_000);
  const { code } = await child.exited;
  clearTimeout(late);
  const tookMs = performance.now() - startedAt;
  const limitMs = tookMs < limitBeforeMs ? limitBeforeMs : Math.max(limitBeforeMs, await limitNow());
  const lines = child.output.split('\n').filter((line) => line !== '' && !isJson(line));
  t.equal(code, 1, `${what}: exit 1`);
  t.ok(tookMs < limitMs, `${what}: within 5 s (${Math.round(tookMs)} of ${Math.round(limitMs)} ms)`);
  t.equal(lines.length, 1, `${what}: one line`, { output: child.output });
  const [line = ''] = lines;
  t.match(line.replace(`${service}: `, ''), variable, `${what}: ${line}`, { output: child.output });
  t.notMatch(child.output, /"level":"(error|fatal)"/, `${what}: and no other complaint`);
}

function withPassword(address: string, password: string): string {
  const url = new URL(address);
  url.password = password;
  return url.href;
}

function isJson(line: string): boolean {
  return line.startsWith('{') && line.endsWith('}');
}
