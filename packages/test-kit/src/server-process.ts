import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { guard } from './guard.ts';
import { isStopped } from './is-stopped.ts';
import { until } from './until.ts';

/** A server that a test can stop, kill, hang and bring back. */
export interface ServerProcess {
  /** Process id while running, else undefined. */
  readonly pid: number | undefined;
  /** Everything the server has printed. */
  readonly output: string;
  /** Starts it on the same port and data. Resolves when it accepts connections. @throws Error when it exits instead. */
  start(): Promise<void>;
  /** SIGTERM; resolves when it has exited. Thaws it first. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when it has exited. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing is answered. Resolves when every thread of it has stopped. */
  freeze(): Promise<void>;
  /** SIGCONT: ends {@link freeze}. */
  thaw(): void;
}

/** How a server is run. */
export interface ServerCommand {
  file: string;
  args: string[];
  /** Removed if the test process dies without a teardown. */
  directory: string;
  /** The line (or part of one) that says it accepts connections. */
  ready: RegExp;
  /** Whether it may keep the test process alive; without an owner it must not, since nothing would end it. */
  owned: boolean;
}

/** Wraps one server binary. Nothing runs until `start`. */
export function createServerProcess(command: ServerCommand): ServerProcess {
  let child: ChildProcess | undefined;
  let exited: Promise<unknown> = Promise.resolve();
  let output = '';

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (!child) return;
    child.kill(signal);
    if (signal !== 'SIGKILL') child.kill('SIGCONT');
    await exited;
  }

  return {
    get pid() {
      return child?.pid;
    },
    get output() {
      return output;
    },
    async start() {
      if (child) throw new Error(`${command.file} runs already`);
      // A process group of its own: Ctrl-C in the terminal is for the test process, which then tears down.
      const started = spawn(command.file, command.args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      await once(started, 'spawn');
      child = started;
      const dismiss = guard(started.pid!, command.directory);
      exited = once(started, 'exit').then(() => {
        child = undefined;
        dismiss();
      });
      const from = output.length;
      await new Promise<void>((resolve, reject) => {
        const read = (chunk: string) => {
          output += chunk;
          if (command.ready.test(output.slice(from))) resolve();
        };
        started.stdout.setEncoding('utf8').on('data', read);
        started.stderr.setEncoding('utf8').on('data', read);
        started.once('close', (code, signal) =>
          reject(
            new Error(
              `${command.file} ended (${signal ?? code}) before it was ready:\n${output.slice(from)}`,
            ),
          ),
        );
      });
      if (!command.owned) for (const handle of [started, started.stdout, started.stderr]) unref(handle);
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async freeze() {
      if (!child?.kill('SIGSTOP')) return;
      const pid = child.pid!;
      await until(() => isStopped(pid), { what: `${command.file} has stopped`, intervalMs: 1 });
    },
    thaw: () => void child?.kill('SIGCONT'),
  };
}

/** Also for pipes, which are sockets but are not typed as such. */
function unref(handle: object): void {
  (handle as { unref?(): void }).unref?.();
}
