import {
  freePort,
  type ProcessExit,
  spawnNode,
  type Teardown,
  type TestProcess,
  until,
} from '@switchyard/test-kit';
import { mainOf, type ServiceName } from './settings.ts';

/** One replica of a service, over all the processes that it lives through. */
export interface ServiceInstance {
  readonly service: ServiceName;
  readonly url: string;
  /** Everything that its processes printed. */
  readonly output: string;
  /** Starts a process and resolves when it listens. */
  start(): Promise<void>;
  /** Ends the process. @returns how it ended and after how many milliseconds. */
  end(signal: NodeJS.Signals): Promise<ProcessExit & { tookMs: number }>;
}

/**
 * Prepares a replica; {@link ServiceInstance.start} starts it.
 *
 * @param env everything but `PORT`.
 */
export async function createServiceInstance(
  t: Teardown,
  service: ServiceName,
  env: Record<string, string | undefined>,
): Promise<ServiceInstance> {
  const port = await freePort();
  const processes: TestProcess[] = [];
  const url = `http://127.0.0.1:${port}`;
  return {
    service,
    url,
    get output() {
      return processes.map(({ output }) => output).join('');
    },
    async start() {
      const started = spawnNode(t, mainOf(service), { env: { ...env, PORT: String(port) } });
      processes.push(started);
      if (env.LOG_LEVEL === 'warn') await untilListening(`${url}/live`, started);
      else await started.waitForLine(/Server listening/, { timeoutMs: 30_000 });
    },
    async end(signal) {
      const current = processes.at(-1);
      if (!current) throw new Error(`${service} was never started`);
      const startedAt = performance.now();
      const exit = await current.kill(signal);
      return { ...exit, tookMs: performance.now() - startedAt };
    },
  };
}

/** For a process that does not print that it listens. */
async function untilListening(url: string, started: TestProcess): Promise<void> {
  let exit: ProcessExit | undefined;
  void started.exited.then((how) => {
    exit = how;
  });
  await until(async () => exit !== undefined || (await fetch(url)) !== undefined, {
    timeoutMs: 60_000,
    intervalMs: 50,
    what: `${url} to answer`,
  });
  if (exit) throw new Error(`the process has ended; it printed:\n${started.output}`);
}
