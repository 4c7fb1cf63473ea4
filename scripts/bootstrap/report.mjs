import { spawn } from 'node:child_process';

/** Set-up that can't go on. Its message says what to do, and is all that is printed. */
export class SetupError extends Error {}

/**
 * Runs a program quietly, under one line that says what is being done.
 *
 * @param {string} what "Installing npm packages"
 * @param {string} file
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined> }} [options]
 * @returns {Promise<void>}
 * @throws {SetupError} with the end of the program's output when it fails.
 */
export async function step(what, file, args, options = {}) {
  const startedAt = performance.now();
  process.stdout.write(`${what} … `);
  const { code, output } = await capture(file, args, options);
  if (code === 0) {
    process.stdout.write(`${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
    return;
  }
  process.stdout.write('failed\n');
  const tail = output.trim().split('\n').slice(-25).join('\n');
  throw new SetupError(`${tail}\n\n${what} failed: ${[file, ...args].join(' ')}`);
}

/** Runs a program and collects its output, both streams together. Code 127 stands for "can't be run". */
export function capture(file, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const read = (chunk) => {
      output += chunk;
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', (error) => resolve({ code: 127, output: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
