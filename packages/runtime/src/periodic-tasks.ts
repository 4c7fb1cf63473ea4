import type { Logger } from 'pino';

/** Work that is done again and again beside the queues: sweepers, reconcilers, purges. */
export interface PeriodicTask {
  name: string;
  /** Pause between the end of one run and the start of the next; spread by a tenth, so that replicas don't march in step. */
  intervalMs: number;
  /** One run. Its failure is logged; the next run comes all the same. */
  run: (signal: AbortSignal) => Promise<void>;
}

/** The tasks of a process. */
export interface PeriodicTasks {
  add(task: PeriodicTask): void;
  start(): void;
  /** Starts no further run and waits for those under way. */
  close(): Promise<void>;
}

/** Runs tasks side by side, each never overlapping itself. */
export function createPeriodicTasks(logger: Logger): PeriodicTasks {
  const tasks: PeriodicTask[] = [];
  const stopping = new AbortController();
  const timers = new Map<PeriodicTask, NodeJS.Timeout>();
  const running = new Map<PeriodicTask, Promise<void>>();
  let isStarted = false;

  function schedule(task: PeriodicTask): void {
    if (stopping.signal.aborted) return;
    const pauseMs = task.intervalMs * (0.95 + Math.random() * 0.1);
    timers.set(
      task,
      setTimeout(() => {
        running.set(
          task,
          Promise.resolve()
            .then(() => task.run(stopping.signal))
            .catch((error: unknown) => {
              if (!stopping.signal.aborted)
                logger.error({ err: error, task: task.name }, 'periodic task failed');
            })
            .finally(() => {
              running.delete(task);
              schedule(task);
            }),
        );
      }, pauseMs),
    );
  }

  return {
    add(task) {
      tasks.push(task);
      if (isStarted) schedule(task);
    },
    start() {
      isStarted = true;
      for (const task of tasks) schedule(task);
    },
    async close() {
      stopping.abort();
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(running.values());
    },
  };
}
