import { runMain } from '@switchyard/service-kit';
import type { Runtime } from './create-runtime.ts';
import type { RuntimeConfig } from './runtime-fields.ts';

/** How a service's process is made. */
export interface ServiceProcess<C extends RuntimeConfig> {
  service: string;
  /** `process.env`, which `main.ts` alone reads. */
  env: Readonly<Record<string, string | undefined>>;
  /** @throws ConfigError */
  load: (env: Readonly<Record<string, string | undefined>>) => C;
  build: (config: C) => Promise<Pick<Runtime<unknown>, 'logger' | 'start' | 'close' | 'open'>>;
}

/**
 * The whole of a service's `main.ts`: configuration, app, listen, and a clean end on SIGTERM or SIGINT.
 *
 * A wrong setting ends the process with one line that names the variable, exit 1.
 */
export function runService<C extends RuntimeConfig>({ service, env, load, build }: ServiceProcess<C>): void {
  runMain(
    async ({ useLogger, useShutdownTimeout }) => {
      const config = load(env);
      useShutdownTimeout(config.shutdownTimeoutMs);
      const runtime = await build(config);
      useLogger(runtime.logger);
      try {
        await runtime.start();
      } catch (error) {
        await runtime.close();
        throw error;
      }
      return runtime;
    },
    { service },
  );
}
