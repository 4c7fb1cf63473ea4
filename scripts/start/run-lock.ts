import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processIdentity } from './process-identity.ts';
import { StartError } from './start-error.ts';

interface RunningProcess {
  name: string;
  pid: number;
  identity: string;
}

/** Holds a data folder for one run, and remembers the processes of that run. */
export interface RunLock {
  /** Notes a child, so that a later run can end it should this one die without doing so. */
  add(name: string, pid: number): void;
  release(): void;
}

/**
 * Takes the data folder for this process. What a run that died left behind is ended first.
 *
 * @throws StartError when another run holds it.
 */
export async function takeRunLock(dataDir: string): Promise<RunLock> {
  const file = join(dataDir, 'run.json');
  const own: RunningProcess = describe('npm start', process.pid);
  const running = [own];
  for (;;) {
    try {
      writeFileSync(file, JSON.stringify(running), { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const [holder, ...children] = read(file);
      if (holder && isAlive(holder))
        throw new StartError(
          `Switchyard already runs in this folder (process ${holder.pid}): stop that one first, by Ctrl-C in its terminal or \`kill ${holder.pid}\`.`,
        );
      await endAll(children);
      rmSync(file, { force: true });
    }
  }
  return {
    add(name, pid) {
      running.push(describe(name, pid));
      const alive = running.filter(isAlive);
      // Beside and moved: a run that dies in between must not leave half a file.
      writeFileSync(`${file}.new`, JSON.stringify(alive));
      renameSync(`${file}.new`, file);
    },
    release: () => rmSync(file, { force: true }),
  };
}

function read(file: string): RunningProcess[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return [];
  }
}

function describe(name: string, pid: number): RunningProcess {
  return { name, pid, identity: processIdentity(pid) ?? '' };
}

function isAlive({ pid, identity }: RunningProcess): boolean {
  return identity !== '' && processIdentity(pid) === identity;
}

async function endAll(children: RunningProcess[]): Promise<void> {
  const alive = children.filter(isAlive);
  if (alive.length === 0) return;
  console.log(`Ending what an earlier run left behind: ${alive.map(({ name }) => name).join(', ')}`);
  // Redis last, as in an orderly end.
  for (const group of [alive.filter(({ name }) => name !== 'redis'), alive]) {
    for (const each of group) if (isAlive(each)) process.kill(each.pid, 'SIGTERM');
    for (let waitedMs = 0; waitedMs < 35_000 && group.some(isAlive); waitedMs += 50) await delay(50);
    for (const each of group) if (isAlive(each)) process.kill(each.pid, 'SIGKILL');
  }
}
