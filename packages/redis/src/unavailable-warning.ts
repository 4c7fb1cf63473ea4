import type { Logger } from 'pino';
import type { RedisRole } from './role-settings.ts';
import { createThrottledWarning } from './throttled-warning.ts';

/**
 * The line `⚠️  Redis unavailable`, rate-limited, with the role and what is done instead.
 *
 * @returns call it with the error that told of the outage.
 */
export function createUnavailableWarning(
  logger: Logger,
  role: RedisRole,
  fallback: string,
): (error: unknown) => void {
  const warn = createThrottledWarning(logger);
  return (error) =>
    warn(
      { role, fallback, reason: error instanceof Error ? error.message : String(error) },
      `⚠️  Redis unavailable (role: ${role}, fallback: ${fallback})`,
    );
}
