import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { choosePorts } from './choose-ports.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** A container, as far as the test looks at it. */
export interface Container {
  id: string;
  service: string;
  state: string;
  exitCode: number;
  /** How often the engine has started it again. */
  restarts: number;
  user: string;
  isRootReadOnly: boolean;
  /** True also where nothing checks its health. */
  isHealthy: boolean;
}

/** The whole of `docker-compose.yml`, in a project of the test's own. */
export interface Stack {
  readonly apiKey: string;
  /** Where a service (or `simulator`) is reached from outside. */
  urlOf(service: string): string;
  /** Runs `docker compose …`, silently. @throws Error with what it printed. */
  compose(...args: string[]): Promise<string>;
  /** The same, with its output shown as it comes. */
  composeLoudly(...args: string[]): Promise<void>;
  docker(...args: string[]): Promise<string>;
  containers(service?: string): Promise<Container[]>;
}

/** @returns why Docker can't be used, in one line; undefined where it can. */
export async function findDockerProblem(): Promise<string | undefined> {
  try {
    await run('docker', ['compose', 'version']);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? 'Docker is not installed: install Docker Engine with Compose v2 (https://docs.docker.com/engine/install) and try again.'
      : 'Docker Compose v2 is not installed: install the plugin (https://docs.docker.com/compose/install) and try again.';
  }
  try {
    await run('docker', ['info']);
    return undefined;
  } catch {
    return 'The Docker engine does not answer: start it, and see that this user may use it (`docker info`).';
  }
}

/**
 * Prepares a stack; starts nothing.
 *
 * @param signal ends every command that runs.
 */
export async function createStack(project: string, signal: AbortSignal): Promise<Stack> {
  const ports = await choosePorts();
  const apiKey = 'sk_compose_test_0123456789abcdef';
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    DOCKER_HOST: process.env.DOCKER_HOST,
    DOCKER_CONTEXT: process.env.DOCKER_CONTEXT,
    SWITCHYARD_API_KEY: apiKey,
    ...Object.fromEntries([...ports.values()].map(({ variable, port }) => [variable, String(port)])),
  };
  const prefix = [
    ...['compose', '--project-name', project, '--project-directory', root],
    // What a user's own .env says must not change what is tested.
    ...['--env-file', '/dev/null'],
    ...['--file', join(root, 'docker-compose.yml'), '--file', join(import.meta.dirname, 'short-waits.yml')],
  ];

  async function docker(...args: string[]): Promise<string> {
    try {
      const { stdout } = await run('docker', args, { env, signal, maxBuffer: 64 * 1024 * 1024 });
      return stdout;
    } catch (error) {
      const { stderr, message } = error as { stderr?: string; message: string };
      throw new Error(`docker ${args.join(' ')}: ${stderr?.trim() || message}`);
    }
  }
  const compose = (...args: string[]) => docker(...prefix, ...args);

  return {
    apiKey,
    docker,
    compose,
    urlOf: (service) => `http://127.0.0.1:${ports.get(service)!.port}`,
    composeLoudly: (...args) =>
      new Promise((resolve, reject) => {
        const child = spawn('docker', [...prefix, ...args], {
          env: { ...env, BUILDKIT_PROGRESS: 'plain' },
          signal,
          stdio: ['ignore', 'inherit', 'inherit'],
        });
        child.once('error', reject);
        child.once('exit', (code) =>
          code === 0 ? resolve() : reject(new Error(`docker compose ${args.join(' ')} exited with ${code}`)),
        );
      }),
    async containers(service) {
      const ids = (await compose('ps', '--all', '--quiet', ...(service ? [service] : []))).split('\n');
      const found = ids.filter(Boolean);
      if (found.length === 0) return [];
      return (JSON.parse(await docker('inspect', ...found)) as Inspected[]).map(readContainer);
    },
  };
}

interface Inspected {
  Id: string;
  RestartCount: number;
  State: { Status: string; ExitCode: number; Health?: { Status: string } };
  Config: { User: string; Labels: Record<string, string> };
  HostConfig: { ReadonlyRootfs: boolean };
}

function readContainer({ Id, State, Config, HostConfig, RestartCount }: Inspected): Container {
  return {
    id: Id,
    service: Config.Labels['com.docker.compose.service'] ?? '',
    state: State.Status,
    exitCode: State.ExitCode,
    restarts: RestartCount,
    user: Config.User,
    isRootReadOnly: HostConfig.ReadonlyRootfs,
    isHealthy: State.Health === undefined || State.Health.Status === 'healthy',
  };
}
