import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { guard } from './guard.ts';
import type { Teardown } from './teardown.ts';

/** How a process ended. */
export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A Node process under test. */
export interface TestProcess {
  readonly pid: number;
  /** Everything printed so far, stdout and stderr in the order of arrival. */
  readonly output: string;
  /** Resolves when it has exited and its output is complete. */
  readonly exited: Promise<ProcessExit>;
  /** The first line, past or to come, that matches. @throws Error on exit or after `timeoutMs` (default 15 000). */
  waitForLine(pattern: RegExp, options?: { timeoutMs?: number }): Promise<string>;
  /** Sends a signal (default SIGTERM). @returns {@link exited}, which SIGSTOP and the like leave pending. */
  kill(signal?: NodeJS.Signals): Promise<ProcessExit>;
}

/** Settings of {@link spawnNode}. */
export interface SpawnNodeOptions {
  /** The whole environment, but for PATH, HOME and TMPDIR, which are passed on. */
  env?: Record<string, string | undefined>;
  args?: readonly string[];
  cwd?: string;
  /** Node's own flags, before the file. */
  nodeArgs?: readonly string[];
}

/**
 * Runs a TypeScript file in a Node process of its own, from source. Killed at the test's end if it still runs.
 *
 * @param file a path or a `file:` URL.
 */
export function spawnNode(t: Teardown, file: string | URL, options: SpawnNodeOptions = {}): TestProcess {
  const path = file instanceof URL ? fileURLToPath(file) : file;
  const { PATH, HOME, TMPDIR } = process.env;
  const child = spawn(
    process.execPath,
    ['--conditions=@switchyard/source', ...(options.nodeArgs ?? []), path, ...(options.args ?? [])],
    {
      env: { PATH, HOME, TMPDIR, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  );
  const dismiss = guard(child.pid!);
  let output = '';
  let hasEnded = false;
  const listeners = new Set<() => void>();
  const notify = () => {
    for (const listener of listeners) listener();
  };
  const read = (chunk: string) => {
    output += chunk;
    notify();
  };
  child.stdout.setEncoding('utf8').on('data', read);
  child.stderr.setEncoding('utf8').on('data', read);
  const exited = once(child, 'close').then(([code, signal]): ProcessExit => {
    hasEnded = true;
    dismiss();
    notify();
    return { code, signal };
  });

  const kill = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    return exited;
  };
  t.teardown(() => (hasEnded ? undefined : kill('SIGKILL')));

  return {
    pid: child.pid!,
    get output() {
      return output;
    },
    exited,
    kill,
    waitForLine(pattern, { timeoutMs = 15_000 } = {}) {
      return new Promise((resolve, reject) => {
        const settle = (act: () => void) => {
          clearTimeout(timer);
          listeners.delete(look);
          act();
        };
        const fail = (why: string) =>
          settle(() =>
            reject(new Error(`${path}: no line matched ${pattern} ${why}; it printed:\n${output}`)),
          );
        const look = () => {
          const complete = hasEnded ? output : output.slice(0, output.lastIndexOf('\n') + 1);
          const line = complete.split('\n').find((each) => pattern.test(each));
          if (line !== undefined) settle(() => resolve(line));
          else if (hasEnded) fail('before it exited');
        };
        const timer = setTimeout(() => fail(`within ${timeoutMs} ms`), timeoutMs);
        listeners.add(look);
        look();
      });
    },
  };
}
