import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { createServerProcess, type ServerProcess } from './server-process.ts';
import type { Teardown } from './teardown.ts';

/** A redis-server of the test's own. */
export interface TestRedis extends ServerProcess {
  /** `redis://[:password@]127.0.0.1:port`, no database. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Marks what has been written by now; for {@link TestRedis.forget}. Only with `aof`. */
  mark(): Promise<void>;
  /**
   * Dies and comes back without what was written since the mark, acknowledged as it was: so a process ends whose disk was slow (with
   * `everysec`, writes wait up to two seconds in memory while the last flush is under way), a machine without power, a fail-over to a
   * replica that lagged.
   */
  forget(): Promise<void>;
}

/** Settings of {@link startRedis}. */
export interface TestRedisOptions {
  /** Append-only file, `everysec`: data survive `kill` and `start`. */
  aof?: boolean;
  /** `requirepass`. */
  password?: string;
  /** More of redis-server's arguments, such as `['--maxmemory-policy', 'allkeys-lru']`. */
  args?: readonly string[];
}

/**
 * Starts a redis-server on a free port with an empty data folder; both are gone after the test, also a failed one.
 *
 * @param t the test that owns it.
 * @throws Error when redis-server is not on PATH or refuses its arguments.
 */
export async function startRedis(t: Teardown, options: TestRedisOptions = {}): Promise<TestRedis> {
  for (let attempt = 1; ; attempt++) {
    const directory = await mkdtemp(join(tmpdir(), 'switchyard-redis-'));
    const port = await freePort();
    const server = createServerProcess({
      file: 'redis-server',
      args: redisArguments(port, directory, options),
      directory,
      ready: /Ready to accept connections/,
      owned: true,
    });
    try {
      await server.start();
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      // Another process may have taken the port between the look and the bind.
      if (attempt < 5 && /already in use/i.test(server.output)) continue;
      throw error;
    }
    t.teardown(async () => {
      await server.kill();
      await rm(directory, { recursive: true, force: true });
      await rm(`${directory}-mark`, { recursive: true, force: true });
    });
    const auth = options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`;
    const address = { url: `redis://${auth}127.0.0.1:${port}`, host: '127.0.0.1', port };
    return Object.assign(server, address, createMemory(server, directory));
  }
}

function createMemory(server: ServerProcess, directory: string): Pick<TestRedis, 'mark' | 'forget'> {
  const files = join(directory, 'appendonlydir');
  const marked = `${directory}-mark`;
  return {
    async mark() {
      await rm(marked, { recursive: true, force: true });
      await cp(files, marked, { recursive: true });
    },
    async forget() {
      await server.kill();
      await rm(files, { recursive: true, force: true });
      await cp(marked, files, { recursive: true });
      await server.start();
    },
  };
}

function redisArguments(port: number, directory: string, options: TestRedisOptions): string[] {
  return [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', ''],
    ...(options.aof ? ['--appendonly', 'yes', '--appendfsync', 'everysec'] : []),
    ...(options.password === undefined ? [] : ['--requirepass', options.password]),
    ...(options.args ?? []),
  ];
}
