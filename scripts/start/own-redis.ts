import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildContext } from './child.ts';
import { createChild } from './child.ts';
import { anyFreePort } from './ports.ts';
import { StartError } from './start-error.ts';

const variables = [
  ...['REDIS_URL', 'REDIS_HOST', 'REDIS_PORT', 'REDIS_SENTINELS', 'REDIS_CLUSTER_NODES'],
  ...['REDIS_CACHE_URL', 'REDIS_QUEUE_URL', 'REDIS_WEBHOOK_URL'],
];

/** Whether the environment names a Redis; then none is started, and that one is not touched but by the services. */
export function isRedisConfigured(env: Record<string, string | undefined>): boolean {
  return variables.some((name) => env[name] || env[`${name}_FILE`]);
}

/**
 * Starts this installation's own redis-server: append-only file, never evicting, reachable from this machine only.
 *
 * @returns its process and URL, once it accepts connections.
 */
export async function startOwnRedis(dataDir: string, context: ChildContext) {
  const directory = join(dataDir, 'redis');
  mkdirSync(directory, { recursive: true });
  const port = await anyFreePort();
  const child = createChild(context, {
    name: 'redis',
    file: 'redis-server',
    args: [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory],
      ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''],
      ...['--maxmemory-policy', 'noeviction'],
    ],
    cwd: directory,
    env: { PATH: process.env.PATH },
  });
  const startedAt = performance.now();
  await new Promise<void>((resolve, reject) => {
    child.onLine((line) => {
      if (line.includes('Ready to accept connections')) resolve();
    });
    void child.firstExit.then(() =>
      reject(
        new StartError(`Redis did not start; see ${join(dataDir, 'logs/redis.log')}.\n${child.lastLines()}`),
      ),
    );
  });
  return { child, port, url: `redis://127.0.0.1:${port}`, elapsedMs: performance.now() - startedAt };
}
