import type { Simulator } from '@switchyard/simulator';

/** What a run came to. */
export interface Accounts {
  /** Messages that the provider neither has, nor was asked for as often as it may be, nor refused for good. */
  lost: string[];
  /** Messages that were accepted again though no receipt had told that the call before came to nothing, with their attempts. */
  repeated: { messageId: string; attempts: number[] }[];
  /** Repeats that the simulator's own log predicts: accepted, the answer lost, every receipt withheld. */
  predicted: { messageId: string; attempt: number }[];
  /** Messages that were accepted, failed by receipt, and sent again as they should be. */
  mended: number;
  /** Predicted and not seen, or seen and not predicted. */
  surprises: string[];
}

/** Faults after which the provider has the message and we do not know. */
const silentKinds = ['cut-after', 'no-response', 'gateway'];
/** Codes that ask for another try, wherever they come from; all others of a run end their message. */
const retryableCodes: readonly (number | undefined)[] = [131000, 131016];
/** R2.1 */
const TRIES = 3;

/**
 * Holds what was asked for against what the simulator accepted and told.
 *
 * @param ids every message asked for. @param failed those that ended as failed, by our own account.
 */
export function checkAccounts(
  simulator: Pick<Simulator, 'accepted' | 'incidents'>,
  ids: readonly string[],
  failed: ReadonlySet<string>,
): Accounts {
  const keyOf = (messageId: string | undefined, attempt: number | undefined) => `${messageId}:${attempt}`;
  const taken = new Map<string, number[]>();
  for (const { messageId, attempt } of simulator.accepted())
    if (messageId !== undefined) taken.set(messageId, [...(taken.get(messageId) ?? []), attempt ?? 0]);
  const codes = new Map<string, number>();
  const tries = new Map<string, number>();
  const withheld = new Set<string>();
  for (const { kind, accepted, code, messageId, attempt } of simulator.incidents()) {
    if (kind === 'fail') codes.set(keyOf(messageId, attempt), code!);
    if (kind === 'fail' || kind === 'error') tries.set(messageId!, (tries.get(messageId!) ?? 0) + 1);
    if (accepted && kind === 'withhold-receipts') withheld.add(keyOf(messageId, attempt));
  }
  const predicted = simulator
    .incidents()
    .filter(
      ({ kind, accepted, messageId, attempt }) =>
        accepted && silentKinds.includes(kind) && withheld.has(keyOf(messageId, attempt)),
    )
    .map(({ messageId, attempt }) => ({ messageId: messageId!, attempt: attempt! }));

  const accounts: Accounts = { lost: [], repeated: [], predicted, mended: 0, surprises: [] };
  const seen = new Set<string>();
  for (const [messageId, list] of taken) {
    const attempts = list.toSorted((a, b) => a - b);
    const again = attempts.slice(1).filter((attempt, index) => {
      const before = attempts[index]!;
      return attempt === before || !retryableCodes.includes(codes.get(keyOf(messageId, before)));
    });
    for (const attempt of again) seen.add(keyOf(messageId, attempt));
    if (again.length > 0) accounts.repeated.push({ messageId, attempts });
    else if (attempts.length > 1) accounts.mended += 1;
  }
  for (const id of ids) {
    const last = taken.get(id)?.reduce((a, b) => Math.max(a, b));
    const code = codes.get(keyOf(id, last));
    if (!failed.has(id)) {
      if (last === undefined || code !== undefined) accounts.lost.push(id);
      continue;
    }
    const isRefused = code !== undefined && !retryableCodes.includes(code);
    const isUsedUp = (last === undefined || code !== undefined) && (tries.get(id) ?? 0) >= TRIES;
    if (!isRefused && !isUsedUp) accounts.surprises.push(`${id} failed, and the provider did not say so`);
  }
  const expected = new Set(predicted.map(({ messageId, attempt }) => keyOf(messageId, attempt + 1)));
  for (const key of expected)
    if (!seen.has(key)) accounts.surprises.push(`${key} was predicted and did not come`);
  for (const key of seen)
    if (!expected.has(key)) accounts.surprises.push(`${key} came and was not predicted`);
  return accounts;
}
