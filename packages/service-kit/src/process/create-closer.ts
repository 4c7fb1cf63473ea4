import type { Logger } from 'pino';

/** Collects what must be closed, as it is opened. */
export interface Closer {
  /** Registers something that is open now. It is closed before everything registered earlier. */
  add(name: string, close: () => unknown): void;
  /** Closes all, last first, each once. A failure is logged and the rest is closed all the same. */
  close(logger: Pick<Logger, 'error'>): Promise<{ failed: string[] }>;
  /** What is not closed yet, last first. */
  open(): string[];
}

/**
 * Creates the list of what a process has open. Registering at the moment of opening makes the order of closing
 * follow by itself, and a start that fails half-way closes what it had opened.
 */
export function createCloser(): Closer {
  const entries: { name: string; close: () => unknown }[] = [];
  return {
    add(name, close) {
      entries.push({ name, close });
    },
    async close(logger) {
      const failed: string[] = [];
      for (let entry = entries.at(-1); entry; entry = entries.at(-1)) {
        try {
          await entry.close();
        } catch (error) {
          failed.push(entry.name);
          logger.error({ err: error, part: entry.name }, 'part did not close cleanly');
        }
        // It stays listed while it closes, so that a forced exit can name it.
        entries.splice(entries.indexOf(entry), 1);
      }
      return { failed };
    },
    open: () => entries.map(({ name }) => name).reverse(),
  };
}
