import type { Logger } from 'pino';

/** Logs a warning, or counts it where one was logged a moment ago. */
export type ThrottledWarning = (fields: Record<string, unknown>, message: string) => void;

/**
 * A warning that is logged at most once per interval: an outage makes thousands of errors a second, and
 * writing them all would be the next outage. The next line that does appear says how many were left out.
 *
 * @param intervalMs shortest time between two lines; 30 s by default.
 */
export function createThrottledWarning(logger: Logger, intervalMs = 30_000): ThrottledWarning {
  let nextAt = 0;
  let suppressed = 0;
  return (fields, message) => {
    const now = performance.now();
    if (now < nextAt) {
      suppressed += 1;
      return;
    }
    nextAt = now + intervalMs;
    logger.warn(suppressed === 0 ? fields : { ...fields, suppressed }, message);
    suppressed = 0;
  };
}
