import { createRequire } from 'node:module';
import { type DestinationStream, type LevelWithSilent, type Logger, type LoggerOptions, pino } from 'pino';
import { describeError, redact, scrubText } from './redact.ts';

/** How a process logs. */
export interface LoggerSettings {
  /** The service's name, on every line. */
  service: string;
  /** Lines below this level are not written. */
  level: LevelWithSilent;
  /** Lines for people, where pino-pretty is installed; JSON otherwise. */
  pretty?: boolean;
  /** Where lines go instead of the standard output. */
  destination?: DestinationStream;
}

/**
 * Creates the one logger of a process: JSON lines, secrets hidden, phone numbers masked to their last four digits.
 *
 * Known keys are redacted at any depth of plain objects (also in child bindings), errors with all their causes.
 * In free text only what can't be mistaken is hidden: `+15551234567`, credentials in URLs, tokens.
 */
export function createLogger(settings: LoggerSettings): Logger {
  const options: LoggerOptions = {
    level: settings.level,
    base: { service: settings.service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label) => ({ level: label }),
      log: redact,
      bindings: redact,
    },
    serializers: { err: describeError, error: describeError, req: describeRequest, res: describeResponse },
    hooks: {
      logMethod(args, method) {
        const scrubbed = args.map((arg) => (typeof arg === 'string' ? scrubText(arg) : arg));
        method.apply(this, scrubbed as typeof args);
      },
    },
  };
  if (settings.destination) return pino(options, settings.destination);
  if (settings.pretty && isPrettyInstalled()) {
    return pino({ ...options, transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname' } } });
  }
  return pino(options);
}

/** pino-pretty is a development tool: an image without it logs JSON. */
function isPrettyInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('pino-pretty');
    return true;
  } catch {
    return false;
  }
}

/** A request without headers, query or body: those carry tokens and phone numbers. */
function describeRequest(request: unknown): unknown {
  if (typeof request !== 'object' || request === null) return undefined;
  const { method, id, ip, routeOptions } = request as Record<string, unknown>;
  return { method, route: (routeOptions as { url?: string } | undefined)?.url, id, ip };
}

function describeResponse(response: unknown): unknown {
  if (typeof response !== 'object' || response === null) return undefined;
  return { statusCode: (response as { statusCode?: number }).statusCode };
}
