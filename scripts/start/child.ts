import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { formatLogLine } from './log-line.ts';
import type { OrphanGuard } from './orphan-guard.ts';
import type { RunLock } from './run-lock.ts';

/** What every child of one run shares. */
export interface ChildContext {
  lock: RunLock;
  guard: OrphanGuard;
  /** The file that a child's output is appended to. */
  logFile(name: string): string;
  /** Prints a line under the child's name. */
  print(name: string, line: string): void;
}

/** How a child is run. */
export interface ChildCommand {
  name: string;
  file: string;
  args: string[];
  cwd: string;
  env: Record<string, string | undefined>;
  /** Log lines of this level (pino's number) and up are printed. Undefined: none. */
  printLevel?: number;
}

/** A child process that is started again when it dies, until it is told to stop. */
export interface Child {
  readonly name: string;
  /** Resolves to the exit code (or signal) when it ends for the first time. */
  readonly firstExit: Promise<number | string>;
  onLine(listener: (line: string) => void): void;
  /** From now on a death is reported and followed by a new start; before, {@link firstExit} decides. */
  superviseFromNowOn(): void;
  /** The end of its output, for a message. */
  lastLines(): string;
  /** SIGTERM, then SIGKILL after `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
}

const maximumLogBytes = 10 * 1024 * 1024;
const settledAfterMs = 60_000;

/** Starts a child in a process group of its own, so that a terminal's Ctrl-C reaches it by way of `stop` only. */
export function createChild(context: ChildContext, command: ChildCommand): Child {
  const { name } = command;
  const log = openLog(context.logFile(name));
  const listeners: ((line: string) => void)[] = [];
  const recent: string[] = [];
  let current: ChildProcess | undefined;
  let exited: Promise<void> = Promise.resolve();
  let restartTimer: NodeJS.Timeout | undefined;
  let isSupervised = false;
  let isStopping = false;
  let restarts = 0;
  let reportFirstExit: (how: number | string) => void = () => undefined;
  const firstExit = new Promise<number | string>((resolve) => {
    reportFirstExit = resolve;
  });

  function read(line: string): void {
    log.write(`${line}\n`);
    recent.push(line);
    if (recent.length > 15) recent.shift();
    for (const listener of listeners) listener(line);
    if (command.printLevel === undefined || isStopping) return;
    const short = formatLogLine(line, command.printLevel);
    if (short !== undefined) context.print(name, short);
  }

  function run(): void {
    const startedAt = performance.now();
    const child = spawn(command.file, command.args, {
      cwd: command.cwd,
      env: command.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    current = child;
    createInterface({ input: child.stdout }).on('line', read);
    createInterface({ input: child.stderr }).on('line', read);
    if (child.pid !== undefined) {
      context.lock.add(name, child.pid);
      context.guard.add(name === 'redis' ? 'redis' : 'service', child.pid);
    }
    exited = new Promise((resolve) => {
      child.once('error', (error) => {
        recent.push(error.message);
        if (child.pid === undefined) end('not started');
      });
      // What a watcher that was killed leaves behind would hold its port, its files and this pipe.
      child.once('exit', () => killGroup(child));
      child.once('close', (code, signal) => end(signal ?? code ?? 1));
      function end(how: number | string): void {
        current = undefined;
        resolve();
        reportFirstExit(how);
        if (!isSupervised || isStopping) return;
        restarts = performance.now() - startedAt > settledAfterMs ? 0 : restarts + 1;
        const delayMs = Math.min(30_000, 500 * 2 ** Math.min(restarts, 6));
        context.print(name, `ended (${how}); it is started again in ${delayMs / 1000} s`);
        restartTimer = setTimeout(run, delayMs);
      }
    });
  }

  run();
  return {
    name,
    firstExit,
    onLine: (listener) => void listeners.push(listener),
    superviseFromNowOn() {
      isSupervised = true;
    },
    lastLines: () => recent.map((line) => formatLogLine(line, 30) ?? line).join('\n'),
    async stop(timeoutMs) {
      isStopping = true;
      clearTimeout(restartTimer);
      const child = current;
      if (child) {
        child.kill('SIGTERM');
        const timer = setTimeout(() => {
          context.print(name, `did not end within ${timeoutMs / 1000} s and is killed`);
          killGroup(child);
        }, timeoutMs);
        await exited;
        clearTimeout(timer);
      }
      await new Promise<void>((resolve) => log.end(resolve));
    },
  };
}

/** Every child leads a process group of its own. */
function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is gone, as it should be.
  }
}

/** Appends; a file that has grown too large is first moved to `<name>.1`. */
function openLog(file: string) {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file) && statSync(file).size > maximumLogBytes) renameSync(file, `${file}.1`);
  return createWriteStream(file, { flags: 'a' });
}
