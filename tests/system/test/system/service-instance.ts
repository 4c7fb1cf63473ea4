import { freePort, type ProcessExit, spawnNode, type Teardown, type TestProcess } from '@switchyard/test-kit';
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
  return {
    service,
    url: `http://127.0.0.1:${port}`,
    get output() {
      return processes.map(({ output }) => output).join('');
    },
    async start() {
      const started = spawnNode(t, mainOf(service), { env: { ...env, PORT: String(port) } });
      processes.push(started);
      await started.waitForLine(/Server listening/, { timeoutMs: 30_000 });
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
