import { setTimeout as delay } from 'node:timers/promises';
import { spawnNode, type TestProcess } from '@switchyard/test-kit';

type Owner = Parameters<typeof spawnNode>[0];

const MAIN = new URL('../../src/main.ts', import.meta.url);

/** One place where an ingress runs; when it ends, however that is, another takes its place. */
export interface Replica {
  /** Undefined while none listens. */
  readonly url: string | undefined;
  /** Requests that wait for its answer now. */
  inFlight: number;
  /** Kills what runs now. @returns whether requests were in flight. */
  kill(): boolean;
}

/**
 * Starts an ingress once and stops it in order, so that Node has kept its machine code: one that is killed keeps none, and each start
 * would compile everything again.
 */
export async function warmUp(owner: Owner, environment: Record<string, string>): Promise<void> {
  const child = spawnNode(owner, MAIN, { env: environment });
  await child.waitForLine(/listening at http/i, { timeoutMs: 120_000 });
  await child.kill('SIGTERM');
}

/** Keeps ingresses running, as a supervisor does, until `stop`. */
export function startReplicas(owner: Owner, environments: readonly Record<string, string>[]) {
  let isStopping = false;

  class Place implements Replica {
    url: string | undefined;
    inFlight = 0;
    #process: TestProcess | undefined;
    readonly done: Promise<void>;

    constructor(environment: Record<string, string>) {
      this.done = this.#run(environment);
    }

    kill(): boolean {
      if (this.url === undefined) return false;
      const { inFlight } = this;
      this.url = undefined;
      void this.#process?.kill('SIGKILL');
      return inFlight > 0;
    }

    async #run(environment: Record<string, string>): Promise<void> {
      while (!isStopping) {
        const child = spawnNode(owner, MAIN, { env: environment });
        this.#process = child;
        const up = child.waitForLine(/listening at http/i, { timeoutMs: 120_000 }).then(
          (line) => {
            this.url = /http:\/\/[\d.:]+/.exec(line)![0];
          },
          // Without its queue it refuses to start; the next one may not.
          () => undefined,
        );
        await Promise.all([up, child.exited]);
        this.url = undefined;
        if (!isStopping) await delay(100);
      }
    }

    end(): Promise<void> {
      void this.#process?.kill('SIGKILL');
      return this.done;
    }
  }

  const places = environments.map((environment) => new Place(environment));
  return {
    replicas: places as readonly Replica[],
    async stop() {
      isStopping = true;
      await Promise.all(places.map((place) => place.end()));
    },
  };
}
