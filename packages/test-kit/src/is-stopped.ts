import { existsSync, readdirSync, readFileSync } from 'node:fs';

/**
 * Whether a process does nothing any more, since a SIGSTOP has reached each of its threads: the signal takes effect only when a
 * running thread next enters the kernel (Linux; proc_pid_stat(5)). Where that can't be seen: true.
 *
 * @param pid the process; one that has ended does nothing either.
 */
export function isStopped(pid: number): boolean {
  if (!existsSync('/proc/self/stat')) return true;
  return threadsOf(pid).every((id) => /^[TtZX]/.test(stateOf(`/proc/${pid}/task/${id}/stat`)));
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** The name before it stands in parentheses and may hold any character. */
function stateOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^.*\) /s, '');
  } catch {
    return 'X';
  }
}
