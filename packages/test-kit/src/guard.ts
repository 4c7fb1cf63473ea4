import { spawn } from 'node:child_process';

/**
 * Makes sure that a server dies with the test process, however that one dies (also by SIGKILL): a shell of a few
 * hundred kilobytes holds one end of a pipe and acts when the other end closes unannounced.
 *
 * @param pid the process to kill.
 * @param directory removed along with it.
 * @returns a function that dismisses the guard; call it once the process has exited.
 */
export function guard(pid: number, directory?: string): () => void {
  const script = 'read -r word; [ "$word" = done ] && exit; kill -9 "$1"; [ -z "$2" ] || rm -rf "$2"';
  const shell = spawn('/bin/sh', ['-c', script, 'guard', String(pid), directory ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  // A pipe is a socket in Node: without this the open pipe would keep the test process alive.
  (shell.stdin as unknown as { unref(): void }).unref();
  return () => void shell.stdin.end('done\n');
}
