import { ConfigError, loadConfig } from '@switchyard/config';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { simulatorFields } from './config.ts';
import { readSettings } from './read-settings.ts';
import { startSimulator } from './simulator.ts';

try {
  const config = loadConfig(simulatorFields, process.env);
  const logger = pino({ name: 'simulator', level: config.logLevel });
  const simulator = await startSimulator({ ...config, settings: readSettings(config.settings), logger });
  closeWithGrace({ delay: 5000, logger }, async () => {
    await simulator.close();
  });
  logger.info({ url: simulator.url, webhookUrl: config.webhookUrl }, 'simulator ready');
} catch (error) {
  const isExpected = error instanceof ConfigError || (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
  const { message, stack } = error as Error;
  process.stderr.write(`${isExpected ? message : stack}\n`);
  process.exit(1);
}
