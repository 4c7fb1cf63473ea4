const levels: Record<number, string> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'ERROR',
  60: 'FATAL',
};

/** Fields of a log line that say nothing at a terminal. */
const hidden = new Set(['level', 'time', 'pid', 'hostname', 'service', 'name', 'msg', 'err', 'v']);

/**
 * Shortens one line of a service's output for the terminal.
 *
 * @param minimumLevel pino's number; what is below it, is left out.
 * @returns undefined when the line is not to be shown. What is not a log line (a crash's stack) always is.
 */
export function formatLogLine(line: string, minimumLevel: number): string | undefined {
  if (line.trim() === '') return undefined;
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  if (typeof entry !== 'object' || entry === null || typeof entry.level !== 'number') return line;
  if (entry.level < minimumLevel) return undefined;
  const fields = Object.entries(entry)
    .filter(([key, value]) => !hidden.has(key) && (typeof value === 'string' || typeof value === 'number'))
    .map(([key, value]) => `${key}=${value}`);
  const error = entry.err as { message?: unknown } | undefined;
  if (typeof error?.message === 'string' && error.message !== entry.msg) fields.push(`(${error.message})`);
  return [levels[entry.level] ?? entry.level, entry.msg, ...fields].join(' ');
}
