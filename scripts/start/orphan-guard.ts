import { spawn } from 'node:child_process';

/** Ends the children should this process die without doing so itself. */
export interface OrphanGuard {
  add(kind: 'service' | 'redis', pid: number): void;
  /** The children have ended in good order. */
  dismiss(): void;
}

// Each child leads a process group, which dies whole. The services first; Redis once they are gone, or after the time that they are given to finish.
const script = `
services= redis=
while read -r kind pid; do
  case $kind in
    service) services="$services $pid" ;;
    redis) redis="$redis $pid" ;;
    done) exit ;;
  esac
done
for pid in $services; do kill -s TERM -- "-$pid"; done
left=35
while [ $left -gt 0 ]; do
  alive=
  for pid in $services; do kill -s 0 -- "-$pid" && alive=yes; done
  [ -n "$alive" ] || break
  sleep 1
  left=$((left - 1))
done
for pid in $redis; do kill -TERM "$pid"; done
`;

/** Starts the guard: a shell that notices the end of this process by the pipe between them. */
export function createOrphanGuard(): OrphanGuard {
  const shell = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  return {
    add: (kind, pid) => void shell.stdin.write(`${kind} ${pid}\n`),
    dismiss: () => void shell.stdin.end('done\n'),
  };
}
