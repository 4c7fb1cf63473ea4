import { ConfigError, loadConfig } from '@switchyard/config';
import { isCodedError } from '@switchyard/errors';
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
  const { message, stack, code } = error as NodeJS.ErrnoException;
  const isTaken = code === 'EADDRINUSE';
  const isExpected = isTaken || error instanceof ConfigError || isCodedError(error);
  process.stderr.write(`${isTaken ? 'PORT ' : ''}${isExpected ? message : stack}\n`);
  process.exit(1);
}
