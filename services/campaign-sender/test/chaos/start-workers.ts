import { freePort, spawnNode, type Teardown, type TestProcess } from '@switchyard/test-kit';

/** Processes of campaign-sender that can be killed at any time. */
export interface Workers {
  /** SIGKILLs one that is ready, and starts another in its place. @returns false when none was ready. */
  killOne(random: number): boolean;
  readonly kills: number;
  /** Asks a living one's control server. @throws when none answers. */
  ask<T>(path: string, input?: object): Promise<T>;
  /** Waits until all are ready. */
  ready(): Promise<void>;
}

interface Worker {
  process: TestProcess;
  controlPort: number;
  isReady: boolean;
  started: Promise<void>;
}

const file = new URL('../load/worker.ts', import.meta.url);

/** Starts so many workers. */
export async function startWorkers(
  t: Teardown,
  count: number,
  env: Record<string, string | undefined>,
): Promise<Workers> {
  const workers: Worker[] = [];
  let kills = 0;

  async function start(index: number): Promise<void> {
    const controlPort = await freePort();
    const process = spawnNode(t, file, {
      env: { ...env, PORT: String(await freePort()), CONTROL_PORT: String(controlPort) },
    });
    const worker: Worker = { process, controlPort, isReady: false, started: Promise.resolve() };
    workers[index] = worker;
    worker.started = process.waitForLine(/worker ready/, { timeoutMs: 120_000 }).then(
      () => {
        worker.isReady = true;
      },
      (error: Error) => {
        // Redis was away while it started, or it was killed: a supervisor starts it again.
        if (workers[index] === worker && !/SIGKILL/.test(error.message)) return start(index);
      },
    );
  }

  for (let index = 0; index < count; index += 1) await start(index);
  await Promise.all(workers.map(({ started }) => started));
  return {
    get kills() {
      return kills;
    },
    killOne(random) {
      const ready = workers.flatMap(({ isReady }, index) => (isReady ? [index] : []));
      if (ready.length === 0) return false;
      const index = ready[Math.floor(random * ready.length)]!;
      const worker = workers[index]!;
      worker.isReady = false;
      kills += 1;
      void worker.process.kill('SIGKILL').then(() => start(index));
      return true;
    },
    async ask(path, input) {
      let problem: unknown;
      for (const { controlPort, isReady } of workers) {
        if (!isReady) continue;
        try {
          const answer = await fetch(`http://127.0.0.1:${controlPort}${path}`, {
            method: 'POST',
            body: input === undefined ? '' : JSON.stringify(input),
          });
          if (answer.ok) return (await answer.json()) as never;
          problem = await answer.text();
        } catch (error) {
          problem = error;
        }
      }
      throw new Error(`no worker answers ${path}: ${problem}`);
    },
    async ready() {
      for (;;) {
        const { length } = workers.filter(({ isReady }) => isReady);
        if (length === count) return;
        await Promise.all(workers.map(({ started }) => started));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };
}
