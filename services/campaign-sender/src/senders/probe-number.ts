import type { Store } from '../database/scope.ts';
import type { GraphAnswer, GraphApi } from '../graph/graph-api.ts';
import { basicNumberFields, numberFields, readNumberFacts, writeNumberFacts } from './number-facts.ts';
import type { Sender } from './sender-directory.ts';

/** What asking the provider about a number has brought. */
export type ProbeEnd = { ok: true } | { ok: false; code: number | undefined; problem: string };

const INVALID_FIELD = 100;

/** Asks the provider about one number and notes what it says, or why it did not say. Safe to repeat. */
export async function probeNumber(
  store: Store,
  graph: Pick<GraphApi, 'get'>,
  sender: Pick<Sender, 'id' | 'phoneNumberId' | 'accessToken'>,
): Promise<ProbeEnd> {
  const end = await ask(store, graph, sender);
  await store.db
    .updateTable('senders')
    .set({ probedAtMs: store.now(), probeProblem: end.ok ? null : end.problem })
    .where('id', '=', sender.id)
    .execute();
  return end;
}

async function ask(
  store: Store,
  graph: Pick<GraphApi, 'get'>,
  { id, phoneNumberId, accessToken }: Pick<Sender, 'id' | 'phoneNumberId' | 'accessToken'>,
): Promise<ProbeEnd> {
  if (accessToken === undefined)
    return { ok: false, code: undefined, problem: 'neither the number nor its account has a token' };
  const read = (fields: string): Promise<GraphAnswer> =>
    graph.get(encodeURIComponent(phoneNumberId), accessToken, { fields });
  let answer = await read(numberFields);
  if (answer.kind === 'refused' && answer.code === INVALID_FIELD) answer = await read(basicNumberFields);
  if (answer.kind === 'away') return { ok: false, code: undefined, problem: answer.cause };
  if (answer.kind === 'refused')
    return { ok: false, code: answer.code, problem: `${answer.code} ${answer.details}`.trim() };
  await writeNumberFacts(store.db, [id], readNumberFacts(answer.body), store.now());
  return { ok: true };
}
