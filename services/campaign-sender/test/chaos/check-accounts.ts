import type { Simulator } from '@switchyard/simulator';

/** What a run came to. */
export interface Accounts {
  /** Messages asked for that the provider never accepted, though nothing refused them. */
  lost: string[];
  /** Messages that were accepted more than once, with their attempts. */
  repeated: { messageId: string; attempts: number[] }[];
  /** Repeats that the simulator's own log predicts: accepted, the answer lost, every receipt withheld. */
  predicted: { messageId: string; attempt: number }[];
  /** Predicted and not seen, or seen and not predicted. */
  surprises: string[];
}

/** Faults after which the provider has the message and we do not know. */
const silentKinds = ['cut-after', 'no-response', 'gateway'];

/**
 * Holds what was asked for against what the simulator accepted.
 *
 * @param ids every message asked for. @param failed those that ended as failed, by our own account.
 */
export function checkAccounts(
  simulator: Pick<Simulator, 'accepted' | 'incidents'>,
  ids: readonly string[],
  failed: ReadonlySet<string>,
): Accounts {
  const attempts = new Map<string, number[]>();
  for (const { messageId, attempt } of simulator.accepted())
    if (messageId !== undefined) attempts.set(messageId, [...(attempts.get(messageId) ?? []), attempt ?? 0]);
  const lost = ids.filter((id) => !attempts.has(id) && !failed.has(id));
  const repeated = [...attempts]
    .filter(([, list]) => list.length > 1)
    .map(([messageId, list]) => ({ messageId, attempts: list.toSorted((a, b) => a - b) }));

  const keyOf = (messageId: string | undefined, attempt: number | undefined) => `${messageId}:${attempt}`;
  const incidents = simulator.incidents().filter(({ accepted }) => accepted);
  const withheld = new Set(
    incidents
      .filter(({ kind }) => kind === 'withhold-receipts')
      .map(({ messageId, attempt }) => keyOf(messageId, attempt)),
  );
  const predicted = incidents
    .filter(
      ({ kind, messageId, attempt }) => silentKinds.includes(kind) && withheld.has(keyOf(messageId, attempt)),
    )
    .map(({ messageId, attempt }) => ({ messageId: messageId!, attempt: attempt! }));
  const expected = new Set(predicted.map(({ messageId, attempt }) => keyOf(messageId, attempt + 1)));
  const seen = new Set(
    repeated.flatMap(({ messageId, attempts: list }) =>
      list.slice(1).map((attempt) => keyOf(messageId, attempt)),
    ),
  );
  const surprises = [
    ...[...expected].filter((key) => !seen.has(key)).map((key) => `${key} was predicted and did not come`),
    ...[...seen].filter((key) => !expected.has(key)).map((key) => `${key} came and was not predicted`),
  ];
  return { lost, repeated, predicted, surprises };
}
