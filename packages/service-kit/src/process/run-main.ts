import type { Logger } from 'pino';
import { createLogger } from '../logging/create-logger.ts';
import { type Closer, createCloser } from './create-closer.ts';
import { findConfigError } from './find-config-error.ts';

/** What a starting service is given. */
export interface MainContext {
  /** Registers what has been opened; it is closed in reverse order, also when the start fails later on. */
  onClose: Closer['add'];
  /** Aborted when the process is told to stop before it has started. */
  signal: AbortSignal;
  /** The logger that the process's own lines go to from now on. */
  useLogger(logger: Logger): void;
  /** Time for the whole stop, in milliseconds, from now on. */
  useShutdownTimeout(timeoutMs: number): void;
}

/** A service that runs. */
export interface RunningService {
  /** Stops it; called before everything registered by `onClose`. */
  close(): Promise<unknown>;
  /** Names what it has not closed yet, for the line of a forced exit. */
  open?(): readonly string[];
}

/** How a process stops. */
export interface MainSettings {
  /** Names the process in its first lines, before it has a logger. */
  service: string;
  /** Time for the whole stop, until `useShutdownTimeout` says otherwise. 30 s by default. */
  shutdownTimeoutMs?: number;
}

/** What a start that failed gets to close what it had opened: its message should not wait long. */
const failedStartTimeoutMs = 3_000;

const signals = ['SIGTERM', 'SIGINT'] as const;

/**
 * Runs a service's `main`: starts it, stops it on SIGTERM or SIGINT, and ends the process.
 *
 * - ConfigError, also wrapped: exactly one line on the standard error, exit 1.
 * - A signal: everything is closed in reverse order of opening, exit 0; 1 where a part failed to close. After
 *   the time-out the exit is forced (1) with a line that names what is still open; a second signal forces it at once.
 * - An unhandled rejection or exception: a fatal line, everything is closed, exit 1.
 */
export function runMain(
  start: (context: MainContext) => Promise<RunningService | undefined>,
  settings: MainSettings,
): void {
  const closer = createCloser();
  const aborted = new AbortController();
  let logger: Logger = createLogger({ service: settings.service, level: 'info' });
  let shutdownTimeoutMs = settings.shutdownTimeoutMs ?? 30_000;
  let isStopping = false;
  let running: RunningService | undefined;

  function force(reason: string): never {
    const open = [...(running?.open?.() ?? []), ...closer.open()];
    logger.fatal({ open }, `exit forced: ${reason}; still open: ${open.join(', ') || 'start'}`);
    process.exit(1);
  }

  /** Closes everything and ends the process. Only the first call counts. */
  async function stop(exitCode: number, timeoutMs: number): Promise<void> {
    if (isStopping) return;
    isStopping = true;
    aborted.abort();
    setTimeout(force, timeoutMs, `not closed within ${timeoutMs} ms`);
    // What the start is about to open must be closed too.
    await started;
    const { failed } = await closer.close(logger);
    if (exitCode === 0) logger.info({ failed }, 'stopped');
    process.exit(failed.length > 0 ? 1 : exitCode);
  }

  // Neither a promise nor a signal handler keeps Node.js running: a start that waits for something without a handle
  // would end the process silently, with exit code 0.
  setInterval(() => undefined, 2 ** 31 - 1);

  for (const signal of signals) {
    process.on(signal, () => {
      if (isStopping) force(`second signal (${signal})`);
      logger.info({ signal }, 'stopping');
      void stop(0, shutdownTimeoutMs);
    });
  }
  function crash(error: unknown, what: string): void {
    logger.fatal({ err: error }, what);
    void stop(1, shutdownTimeoutMs);
  }
  process.on('unhandledRejection', (error) => crash(error, 'unhandled rejection'));
  process.on('uncaughtException', (error) => crash(error, 'uncaught exception'));

  const context: MainContext = {
    onClose: closer.add,
    signal: aborted.signal,
    useLogger(next) {
      logger = next;
    },
    useShutdownTimeout(timeoutMs) {
      shutdownTimeoutMs = timeoutMs;
    },
  };

  /** Settles when the start is over; never rejects. */
  const started: Promise<void> = Promise.resolve()
    .then(() => start(context))
    .then(
      (started) => {
        running = started;
        if (started) closer.add('service', () => started.close());
      },
      (error: unknown) => {
        // One that was told to stop may fail for that reason.
        if (!isStopping) void stopFailedStart(error);
      },
    );

  function stopFailedStart(error: unknown): Promise<void> {
    const configError = findConfigError(error);
    if (configError) {
      const line = configError.message.replaceAll(/\s*\n\s*/g, ' ');
      process.stderr.write(`${settings.service}: ${line}\n`);
    } else {
      logger.fatal({ err: error }, 'start failed');
    }
    return stop(1, failedStartTimeoutMs);
  }
}
