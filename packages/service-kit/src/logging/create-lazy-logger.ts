import { type ChildLoggerOptions, type Level, type Logger, pino } from 'pino';

/** From the most to the least often asked. */
const methods = ['info', 'warn', 'error', 'debug', 'trace', 'fatal'] as const;

/** A child that is not there yet. Its methods are the prototype's, so that making one costs an object. */
class LazyLogger {
  readonly level: Level;
  readonly #threshold: number;
  readonly #create: () => Logger;
  #made: Logger | undefined;

  constructor(level: Level, create: () => Logger) {
    this.level = level;
    this.#threshold = pino.levels.values[level] ?? 0;
    this.#create = create;
  }

  made(): Logger {
    this.#made ??= this.#create();
    return this.#made;
  }

  isLevelEnabled(level: string): boolean {
    return (pino.levels.values[level] ?? 0) >= this.#threshold;
  }

  child(bindings: object, options?: ChildLoggerOptions): Logger {
    return this.made().child(bindings, options) as Logger;
  }

  bindings(): object {
    return this.made().bindings();
  }

  silent(): void {}

  static {
    for (const method of methods) {
      const value = pino.levels.values[method]!;
      Object.defineProperty(LazyLogger.prototype, method, {
        value(this: LazyLogger, ...args: [unknown]) {
          if (value >= this.#threshold) Reflect.apply(this.made()[method], this.#made, args);
        },
      });
    }
  }
}

/**
 * Stands for a child logger of which most never write a line: it is made when its first line is. pino makes the text of the bindings
 * at once, and all methods anew where the level differs from the parent's; at thousands of requests a second that is no trifle.
 *
 * @param level below it nothing is written.
 * @returns a logger for Fastify and for code that writes lines and makes children; it has none of pino's rarer parts.
 */
export function createLazyLogger(level: Level, create: () => Logger): Logger {
  return new LazyLogger(level, create) as unknown as Logger;
}
