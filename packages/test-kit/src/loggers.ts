import { type Logger, pino } from 'pino';

/** A logger that says nothing. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}

/** One log line as written: `level` (30 is info), `msg`, and whatever was logged with it. */
export interface LogLine extends Record<string, unknown> {
  level: number;
  msg: string;
}

/** A logger at level `trace` (children too) and the lines written to it, oldest first. */
export function recordingLogger(): { logger: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const logger = pino({ level: 'trace', base: null }, { write: (line) => void lines.push(JSON.parse(line)) });
  return { logger, lines };
}
