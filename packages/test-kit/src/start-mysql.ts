import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { createServerProcess, type ServerProcess } from './server-process.ts';
import type { Teardown } from './teardown.ts';

/** A MariaDB server of the test's own. */
export interface TestMysql extends ServerProcess {
  /** `mysql://switchyard:switchyard@127.0.0.1:port`, no database. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

const run = promisify(execFile);

/** Where a server binary may be: PATH, and the folders that PATH often lacks. */
function findBinary(...names: string[]): string | undefined {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...['/usr/sbin', '/usr/local/sbin', '/usr/libexec', '/opt/homebrew/bin', '/usr/local/bin'],
  ];
  for (const name of names)
    for (const folder of folders) {
      const path = join(folder, name);
      if (folder && existsSync(path)) return path;
    }
  return undefined;
}

/** Whether {@link startMysql} can work on this machine. */
export function isMysqlInstalled(): boolean {
  return findBinary('mariadbd') !== undefined && findBinary('mariadb-install-db') !== undefined;
}

/**
 * Starts a mariadbd by hand (own data folder and port) with the SQL mode of MySQL 8.4, in about a second.
 *
 * @param t the test that owns it; without one it lives as long as this process.
 * @param options `buffers`: small ones, so that many servers find room (default), or those that the server has by itself.
 * @throws Error when MariaDB is not installed or refuses to start.
 */
export async function startMysql(
  t?: Teardown,
  { buffers = 'small' }: { buffers?: 'small' | 'usual' } = {},
): Promise<TestMysql> {
  const mariadbd = findBinary('mariadbd');
  const install = findBinary('mariadb-install-db');
  if (!mariadbd || !install) throw new Error('mariadbd and mariadb-install-db must be installed');
  const directory = await mkdtemp(join(tmpdir(), 'switchyard-mysql-'));
  const port = await freePort();
  const args = [...mysqlArguments(port, directory), ...(buffers === 'small' ? smallBuffers : [])];
  const server = createServerProcess({
    file: mariadbd,
    args,
    directory,
    ready: /ready for connections/,
    owned: t !== undefined,
  });
  try {
    await run(install, [
      ...args.filter((arg) => !arg.startsWith('--init-file')),
      ...['--auth-root-authentication-method=normal', '--skip-test-db'],
    ]);
    await writeFile(
      join(directory, 'init.sql'),
      `CREATE OR REPLACE USER 'switchyard'@'%' IDENTIFIED BY 'switchyard';
GRANT ALL ON *.* TO 'switchyard'@'%' WITH GRANT OPTION;\n`,
    );
    await server.start();
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  t?.teardown(async () => {
    await server.kill();
    await rm(directory, { recursive: true, force: true });
  });
  const url = `mysql://switchyard:switchyard@127.0.0.1:${port}`;
  return Object.assign(server, { url, host: '127.0.0.1', port });
}

const smallBuffers = ['--innodb-buffer-pool-size=64M', '--innodb-log-file-size=16M'];

function mysqlArguments(port: number, directory: string): string[] {
  return [
    '--no-defaults',
    // mariadbd refuses to run as root unless told to.
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    `--datadir=${join(directory, 'data')}`,
    // A server that starts deletes the temporary tables of all others in the same folder.
    `--tmpdir=${directory}`,
    `--socket=${join(directory, 'sock')}`,
    `--pid-file=${join(directory, 'pid')}`,
    `--init-file=${join(directory, 'init.sql')}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
    '--character-set-server=utf8mb4',
    '--sql-mode=ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
    '--max-connections=300',
    '--innodb-flush-log-at-trx-commit=2',
    '--performance-schema=0',
  ];
}
