import { createRequire } from 'node:module';
import { format } from 'node:util';
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
    },
    serializers: { err: describeError, error: describeError, req: describeRequest, res: describeResponse },
    hooks: {
      logMethod(args, method) {
        method.apply(this, scrubMessage(args) as typeof args);
      },
    },
  };
  if (settings.destination) return redactBindings(pino(options, settings.destination));
  if (settings.pretty && isPrettyInstalled()) {
    const transport = { target: 'pino-pretty', options: { ignore: 'pid,hostname' } };
    return redactBindings(pino({ ...options, transport }));
  }
  // Synchronous, so that lines keep their order and the last ones before an exit are not lost.
  return redactBindings(pino(options, pino.destination({ fd: 1, sync: true })));
}

/** pino formats no bindings of children, so they are redacted on their way in. Grandchildren inherit the method. */
function redactBindings(logger: Logger): Logger {
  const child = logger.child;
  logger.child = function redactedChild(this: Logger, bindings: object, options?: object) {
    return Reflect.apply(child, this, [redact({ ...bindings }), options]);
  } as typeof child;
  return logger;
}

/** Scrubs the text of a line, its arguments already in place: `'+%s'` becomes a number only then. */
function scrubMessage(args: readonly unknown[]): unknown[] {
  const textAt = typeof args[0] === 'string' ? 0 : 1;
  const text = args[textAt];
  if (typeof text !== 'string') {
    // Without a text pino takes the error's, as it is.
    const [first] = args;
    const error: unknown =
      first instanceof Error ? first : (first as { err?: unknown } | null | undefined)?.err;
    return error instanceof Error ? [first, scrubText(error.message)] : [...args];
  }
  const values = args.slice(textAt + 1);
  const message = scrubText(values.length === 0 ? text : format(text, ...values));
  return [...args.slice(0, textAt), message];
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
