import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { capture, SetupError, step } from './report.mjs';

const redisVariables = [
  ...['REDIS_URL', 'REDIS_HOST', 'REDIS_PORT', 'REDIS_SENTINELS', 'REDIS_CLUSTER_NODES'],
  ...['REDIS_CACHE_URL', 'REDIS_QUEUE_URL', 'REDIS_WEBHOOK_URL'],
];

// The server-core packages hold the server without setting up a daemon.
const managers = [
  {
    program: 'apt-get',
    prepare: ['update'],
    install: ['install', '-y', '--no-install-recommends'],
    redis: [['redis-server']],
    mariadb: [['mariadb-server-core', 'mariadb-client-core'], ['mariadb-server']],
  },
  { program: 'apk', install: ['add'], redis: [['redis']], mariadb: [['mariadb']] },
  {
    program: 'dnf',
    install: ['install', '-y'],
    redis: [['redis'], ['valkey']],
    mariadb: [['mariadb-server']],
  },
  { program: 'brew', withoutRoot: true, install: ['install'], redis: [['redis']], mariadb: [['mariadb']] },
];

/**
 * Makes sure that there is a redis-server to start, installing it where that is permitted.
 *
 * @param {string} root
 * @param {'always' | 'unless configured'} when tests always need one of their own.
 * @throws {SetupError} one message that says what to do.
 */
export async function ensureRedis(root, when) {
  if (has('redis-server') || (when === 'unless configured' && isRedisConfigured(root))) return;
  if ((await install('Redis', 'redis')) && has('redis-server')) return;
  const alternative = when === 'always' ? '' : ', or set REDIS_URL to a Redis of yours,';
  throw new SetupError(
    `Redis is needed and redis-server was not found: install it (${advice('redis')})${alternative} and run the same command again.`,
  );
}

/** Makes sure that there is a MariaDB for the tests, where that is permitted; without one they run on SQLite only. */
export async function ensureMariadb() {
  if (process.env.TEST_MYSQL_URL || has('mariadbd')) return;
  try {
    if ((await install('MariaDB, for the tests', 'mariadb')) && has('mariadbd')) return;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
  }
  console.error(
    `MariaDB was not found: the tests run on SQLite only, and the MySQL half is SKIPPED. Install it (${advice('mariadb')}) or set TEST_MYSQL_URL to run it.`,
  );
}

function has(program) {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/sbin',
    '/usr/libexec',
    '/opt/homebrew/bin',
  ];
  return folders.some((folder) => folder !== '' && existsSync(join(folder, program)));
}

function isRedisConfigured(root) {
  const file = join(root, '.env');
  const lines = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return redisVariables.some((name) =>
    [name, `${name}_FILE`].some(
      (each) =>
        process.env[each] || new RegExp(`^\\s*(export\\s+)?${each}\\s*=[ \\t]*[^\\s#]`, 'm').test(lines),
    ),
  );
}

/** @returns whether a package manager was there and permitted; it then has succeeded. */
async function install(what, key) {
  const manager = managers.find(({ program }) => has(program));
  if (!manager) return false;
  const sudo = manager.withoutRoot || process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (sudo.length > 0 && (await capture('sudo', ['-n', 'true'])).code !== 0) return false;
  const call = (args) => [...sudo, manager.program, ...args];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', HOMEBREW_NO_AUTO_UPDATE: '1' };
  if (manager.prepare) {
    const [file, ...args] = call(manager.prepare);
    // An unreachable third-party source is no reason to stop: the install itself will tell.
    await capture(file, args, { env });
  }
  const choices = manager[key];
  for (const [index, packages] of choices.entries()) {
    const [file, ...args] = call([...manager.install, ...packages]);
    try {
      await step(`Installing ${what} (${manager.program})`, file, args, { env });
      return true;
    } catch (error) {
      if (index === choices.length - 1) throw error;
    }
  }
  return false;
}

function advice(key) {
  const manager = managers.find(({ program }) => has(program)) ?? managers[0];
  const sudo = manager.withoutRoot ? '' : 'sudo ';
  return `${sudo}${manager.program} ${manager.install[0]} ${manager[key].at(-1).join(' ')}`;
}
