import { runMain } from '@switchyard/service-kit';
import { buildApp } from './app.ts';
import { loadIngressConfig } from './config.ts';

runMain(
  async ({ onClose, useLogger, useShutdownTimeout }) => {
    const config = loadIngressConfig(process.env);
    useShutdownTimeout(config.shutdownTimeoutMs);
    const runtime = await buildApp(config);
    useLogger(runtime.logger);
    onClose('ingress', () => runtime.close());
    await runtime.start();
    return undefined;
  },
  { service: 'ingress' },
);
