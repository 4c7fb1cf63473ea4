const levels: Record<string, number> = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 };

/** Fields of a log line that say nothing at a terminal. */
const hidden = new Set([
  ...['level', 'time', 'pid', 'hostname', 'service', 'name', 'msg', 'err', 'v'],
  ...['requestId', 'traceId', 'spanId'],
]);

/**
 * Shortens one line of a service's output for the terminal.
 *
 * @param minimumLevel pino's number; what is below it, is left out.
 * @returns undefined when the line is not to be shown. What is not a log line (a crash's stack) always is.
 */
export function formatLogLine(line: string, minimumLevel: number): string | undefined {
  if (line.trim() === '') return undefined;
  let entry: Record<string, unknown> | null;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  const level = readLevel(entry?.level);
  if (!entry || level === undefined) return line;
  if (level < minimumLevel) return undefined;
  const fields = Object.entries(entry)
    .filter(([key, value]) => !hidden.has(key) && (typeof value === 'string' || typeof value === 'number'))
    .map(([key, value]) => `${key}=${value}`);
  const error = entry.err as { message?: unknown } | undefined;
  if (typeof error?.message === 'string' && error.message !== entry.msg) fields.push(`(${error.message})`);
  const name = Object.keys(levels).find((each) => levels[each] === level) ?? String(level);
  return [level >= 50 ? name.toUpperCase() : name, entry.msg, ...fields].join(' ');
}

/** pino writes a number; the services write the word. */
function readLevel(level: unknown): number | undefined {
  return typeof level === 'string' ? levels[level] : typeof level === 'number' ? level : undefined;
}
