import { ConfigError } from '@switchyard/config';

/** Finds the ConfigError in what was thrown, also as the cause of, or among, other errors. */
export function findConfigError(thrown: unknown, depth = 0): ConfigError | undefined {
  if (!(thrown instanceof Error) || depth > 10) return undefined;
  // By name as well: another copy of the package has another class.
  if (thrown instanceof ConfigError || thrown.name === 'ConfigError') return thrown as ConfigError;
  const inner: unknown[] = [thrown.cause, ...(thrown instanceof AggregateError ? thrown.errors : [])];
  for (const each of inner) {
    const found = findConfigError(each, depth + 1);
    if (found) return found;
  }
  return undefined;
}
