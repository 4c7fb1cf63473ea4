import type { Api } from '../create-api.ts';

interface Run {
  id: string;
  flowId: string;
  flowVersion: number;
  contactId: string;
  status: string;
  reason: string | null;
  updatedAtMs: number;
}

interface Replay {
  identical: boolean;
  inputs: number;
  difference?: { number: number; part: string; recorded: unknown; replayed: unknown };
}

/** Which runs. */
export interface RunChoice {
  flowId?: string | undefined;
  contactId?: string | undefined;
  status?: string | undefined;
  limit: number;
}

/** Runs of a page, as many as the API gives at once. */
const PAGE = 500;

/** Lists runs, newest first. */
export async function listRuns(api: Api, choice: RunChoice, print: (line: string) => void): Promise<void> {
  for await (const run of runsOf(api, choice))
    print(
      [
        run.id,
        `${run.flowId}@${run.flowVersion}`,
        run.contactId,
        new Date(run.updatedAtMs).toISOString(),
        run.status,
        ...(run.reason === null ? [] : [run.reason]),
      ].join('  '),
    );
}

/**
 * Runs recorded runs again, and says where one goes another way.
 *
 * @returns whether all went the same way.
 */
export async function replayRuns(
  api: Api,
  ids: readonly string[],
  choice: RunChoice,
  print: (line: string) => void,
): Promise<boolean> {
  let same = 0;
  let different = 0;
  const chosen = ids.length > 0 ? ids : idsOf(runsOf(api, choice));
  for await (const id of chosen) {
    const { identical, difference } = await api.call<Replay>(
      'POST',
      `/api/v1/runs/${encodeURIComponent(id)}/replay`,
      {},
    );
    if (identical) {
      same += 1;
      continue;
    }
    different += 1;
    print(`${id}: input ${difference?.number} gives other ${difference?.part}`);
    print(`    - ${JSON.stringify(difference?.recorded)}`);
    print(`    + ${JSON.stringify(difference?.replayed)}`);
  }
  print(`${same} identical, ${different} different`);
  return different === 0;
}

async function* idsOf(runs: AsyncIterable<Run>): AsyncGenerator<string> {
  for await (const { id } of runs) yield id;
}

async function* runsOf(api: Api, { limit, flowId, contactId, status }: RunChoice): AsyncGenerator<Run> {
  let before: string | undefined;
  for (let left = limit; left > 0; ) {
    const query = new URLSearchParams({ limit: String(Math.min(PAGE, left)) });
    for (const [name, value] of Object.entries({ flowId, contactId, status, before }))
      if (value !== undefined) query.set(name, value);
    const page = await api.call<Run[]>('GET', `/api/v1/runs?${query}`);
    yield* page;
    left -= page.length;
    before = page.at(-1)?.id;
    if (page.length < PAGE || before === undefined) return;
  }
}
