import type { GraphApi } from '../graph/graph-api.ts';

/** What the provider lists, or why it can't be read. */
export type Listed = { ok: true } | { ok: false; code: number | undefined; problem: string };

const PAGES_MOST = 200;

/**
 * Reads a list of the Graph API page by page, so that memory holds one page. Only the cursor is taken from an answer, never its
 * `next` address: a token goes nowhere but to the API.
 *
 * @param onPage may throw, which ends the reading.
 */
export async function readPages(
  graph: Pick<GraphApi, 'get'>,
  path: string,
  token: string,
  query: Record<string, string>,
  onPage: (items: Record<string, unknown>[]) => Promise<void>,
): Promise<Listed> {
  let after: string | undefined;
  for (let page = 0; page < PAGES_MOST; page += 1) {
    const answer = await graph.get(path, token, { ...query, ...(after === undefined ? {} : { after }) });
    if (answer.kind === 'refused')
      return { ok: false, code: answer.code, problem: `${answer.code} ${answer.details}`.trim() };
    if (answer.kind === 'away') return { ok: false, code: undefined, problem: answer.cause };
    const { data, paging } = answer.body as {
      data?: unknown;
      paging?: { next?: unknown; cursors?: { after?: unknown } };
    };
    if (!Array.isArray(data)) return { ok: false, code: undefined, problem: 'the answer is not a list' };
    await onPage(data.filter((item) => typeof item === 'object' && item !== null));
    const next = paging?.cursors?.after;
    if (paging?.next === undefined || typeof next !== 'string') return { ok: true };
    if (next === after) return { ok: false, code: undefined, problem: 'the list repeats itself' };
    after = next;
  }
  return { ok: false, code: undefined, problem: `the list has more than ${PAGES_MOST} pages` };
}
