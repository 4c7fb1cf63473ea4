import { ConfigError } from '@switchyard/config';
import { Cluster } from 'ioredis';
import type { Logger } from 'pino';
import { awaitReady } from './await-ready.ts';
import { explainRedisError } from './explain-redis-error.ts';
import type { RedisClient } from './redis-client.ts';
import { type RoleSettings, roleFallbacks } from './role-settings.ts';

/** Leaves the process, which has to boot first, within the 5 s that a wrong setting may take to be told. */
const defaultTimeoutMs = 2500;

/** R3.9: ACL users and RESP3 came with 6. */
const oldestMajorVersion = 6;

/** How {@link checkRedisAtStart} judges. */
export interface StartCheckOptions {
  /** Production refuses an evicting Redis in the queue role; elsewhere it is a warning. */
  production: boolean;
  logger: Logger;
  /** Time for everything, 2.5 s by default, at most 5 s. */
  timeoutMs?: number;
  /**
   * Whether the service can't do without (default). With `false` a Redis that is dead or hung is a warning,
   * and the client goes on trying; a wrong password, database or server is refused all the same.
   */
  required?: boolean;
}

/**
 * Checks once, before a service accepts work, that a role's Redis is what it must be: reachable (10 tries or
 * `timeoutMs`, whichever comes first), a master, recent enough, with the configured login and database, and
 * not evicting where it holds queues.
 *
 * @throws ConfigError one line that names the variable, in time whatever happens. The client is closed then.
 */
export async function checkRedisAtStart(
  client: RedisClient,
  role: RoleSettings,
  options: StartCheckOptions,
): Promise<void> {
  const timeoutMs = Math.min(options.timeoutMs ?? defaultTimeoutMs, 5000);
  const deadline = performance.now() + timeoutMs;
  try {
    await awaitReady(client, role, deadline);
    await inTime(inspect(client, role, options), deadline);
  } catch (error) {
    const problem = explainRedisError(role, error);
    if (options.required === false && problem.away) {
      const fallback = roleFallbacks[role.role];
      options.logger.warn(
        { role: role.role, fallback, reason: problem.error.message },
        `⚠️  Redis unavailable (role: ${role.role}, fallback: ${fallback})`,
      );
      return;
    }
    client.disconnect();
    throw problem.error;
  }
}

async function inspect(client: RedisClient, role: RoleSettings, options: StartCheckOptions): Promise<void> {
  // While it connects, ioredis only reports a database that does not exist and goes on in database 0.
  if (!(client instanceof Cluster)) await client.select(role.db);
  const servers = client instanceof Cluster ? client.nodes('master') : [client];
  for (const server of servers) judge(readInfo(await server.info()), role, options);
}

function judge(info: Map<string, string>, role: RoleSettings, { production, logger }: StartCheckOptions) {
  const version = info.get('redis_version') ?? '0';
  if (Number.parseInt(version, 10) < oldestMajorVersion)
    throw new ConfigError(
      role.variable,
      `names a Redis ${version}; at least ${oldestMajorVersion}.0 is needed`,
    );
  if (info.get('role') === 'slave')
    throw new ConfigError(role.variable, 'names a read-only replica; the master is needed');
  if (info.get('redis_mode') === 'cluster' && role.mode !== 'cluster')
    throw new ConfigError(role.variable, 'names a node of a cluster; set REDIS_CLUSTER_NODES instead');
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  if (role.role === 'cache' || policy === 'noeviction') return;
  const problem = `names a Redis whose maxmemory-policy is ${policy}; the ${role.role} role needs noeviction, or jobs vanish`;
  if (role.role === 'queue' && production) throw new ConfigError(role.variable, problem);
  logger.warn({ role: role.role, policy, variable: role.variable }, `${role.variable} ${problem}`);
}

function readInfo(text: string): Map<string, string> {
  return new Map(
    text
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

function inTime<T>(work: Promise<T>, deadline: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error('no answer in time')),
      Math.max(0, deadline - performance.now()),
    );
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
