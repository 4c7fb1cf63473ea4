import { createServer } from 'node:net';
import type { ServiceEntry } from './service-list.ts';
import { StartError } from './start-error.ts';

/**
 * Decides every process's port.
 *
 * @returns service name → port, all of them free a moment ago.
 * @throws StartError one line per port that is taken or malformed, with the variable that changes it.
 */
export async function choosePorts(
  entries: readonly ServiceEntry[],
  env: Record<string, string | undefined>,
  host: string,
): Promise<Map<string, number>> {
  const ports = new Map<string, number>();
  const problems: string[] = [];
  for (const { name, defaultPort, portVariable } of entries) {
    const port = Number(env[portVariable] || defaultPort);
    const other = [...ports].find(([, taken]) => taken === port)?.[0];
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      problems.push(`${portVariable} must be a port number.`);
    else if (other)
      problems.push(`Port ${port} is given to both ${other} and ${name}: change ${portVariable}.`);
    else if (!(await isPortFree(port, host)))
      problems.push(`Port ${port} (${name}) is taken by another program: set ${portVariable} to a free one.`);
    ports.set(name, port);
  }
  if (problems.length > 0) throw new StartError(problems.join('\n'));
  return ports;
}

/** Whether a server can listen there. @param port 0 asks for any, see {@link anyFreePort}. */
export function isPortFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}

/** A free port of 127.0.0.1 from 6380 up: never Redis's own default, which may be somebody else's. */
export async function anyFreePort(): Promise<number> {
  for (let port = 6380; port < 6480; port++) if (await isPortFree(port, '127.0.0.1')) return port;
  throw new StartError('No port between 6380 and 6479 is free for Redis: set REDIS_URL to a Redis of yours.');
}

/** A free port of 127.0.0.1 from 4025 up, for the simulator's mailbox. */
export async function freeMailPort(): Promise<number> {
  for (let port = 4025; port < 4125; port++) if (await isPortFree(port, '127.0.0.1')) return port;
  throw new StartError('No port between 4025 and 4124 is free for the mailbox: set SIMULATOR_SMTP_PORT.');
}
