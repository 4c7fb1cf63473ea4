import { readFileSync } from 'node:fs';
import { freePort, spawnNode, type TestDatabase, type TestProcess } from '@switchyard/test-kit';

type Owner = Parameters<typeof spawnNode>[0];

const apiKey = 'sk_bench_0123456789abcdef0123456789';

/** A flow-engine in a process of its own. */
export interface BenchEngine {
  readonly process: TestProcess;
  /** User and system time so far, in µs. */
  cpuUs(): number;
  api<T>(path: string, body?: object): Promise<T>;
  stop(): Promise<void>;
}

/** Starts one on this Redis and database. */
export async function startEngine(
  owner: Owner,
  redisUrl: string,
  database: TestDatabase,
  nodeArgs: readonly string[] = [],
): Promise<BenchEngine> {
  const port = await freePort();
  const main = new URL('../../services/flow-engine/src/main.ts', import.meta.url);
  const process = spawnNode(owner, main, {
    nodeArgs,
    env: {
      NODE_ENV: 'development',
      PORT: String(port),
      HOST: '127.0.0.1',
      // One line per job, as in production, would be timed too, but read by nobody.
      LOG_LEVEL: 'warn',
      REDIS_URL: redisUrl,
      DATA_DIR: database.dataDir,
      DATABASE_URL: database.url,
      SWITCHYARD_API_KEY: apiKey,
    },
  });
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers(`${url}/ready`, process);
  return {
    process,
    cpuUs: () => cpuOf(process.pid),
    async api<T>(path: string, body?: object): Promise<T> {
      const answer = await fetch(`${url}${path}`, {
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      });
      const { success, data, error } = (await answer.json()) as {
        success: boolean;
        data: T;
        error?: { message: string };
      };
      if (!success) throw new Error(`${path}: ${error?.message}`);
      return data;
    },
    stop: async () => void (await process.kill('SIGTERM')),
  };
}

/** Creates a flow and publishes it. @returns its id. */
export async function publish(engine: BenchEngine, definition: object): Promise<string> {
  const { flow } = await engine.api<{ flow: { id: string } }>('/api/v1/flows', { definition });
  await engine.api(`/api/v1/flows/${flow.id}/publish`, {});
  return flow.id;
}

/** User and system time of a process, in µs; Linux counts it in ticks of 10 ms. */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function untilAnswers(url: string, { exited }: TestProcess): Promise<void> {
  let hasEnded = false;
  void exited.then(() => {
    hasEnded = true;
  });
  for (const startedAt = performance.now(); performance.now() - startedAt < 30_000; ) {
    if (hasEnded) break;
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} does not answer`);
}
