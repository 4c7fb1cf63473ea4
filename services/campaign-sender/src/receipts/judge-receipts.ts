import type { AttemptState } from '../database/tables.ts';
import { isUnusableFile } from '../media-out/drop-uploads.ts';
import { REMEMBERED_MS as FILE_REMEMBERED_MS } from '../media-out/uploads.ts';
import { type MessageState, openStates } from '../messages/message-state.ts';
import { afterRefusal } from '../sending/decide-after-call.ts';
import { type ProviderErrorRule, ruleForCode } from '../sending/provider-errors.ts';
import { foldReceipts, type ReceiptChange } from './fold-receipts.ts';
import type { AttemptReceipt, MatchedReceipts } from './match-receipts.ts';

/** What receipts make of one message. */
export interface ReceiptVerdict extends ReceiptChange<AttemptReceipt> {
  /** The row of the error table, where a receipt has told of a failure that counts. */
  rule: ProviderErrorRule | undefined;
  /** The failure is none yet: the message goes out as its next attempt. */
  retry: { atMs: number; isTry: boolean; fallsBack: boolean } | undefined;
  /** What is known of the calls that the receipts belong to. */
  calls: Map<number, Extract<AttemptState, 'accepted' | 'failed'>>;
}

const alive: readonly (AttemptState | undefined)[] = ['open', 'parked', 'accepted'];
const over: readonly (AttemptState | undefined)[] = ['rejected', 'failed'];
/** States that a failed receipt takes back to the queue; who has ended by our own decision is only told. */
const resendable: readonly MessageState[] = [...openStates, 'accepted', 'sent'];

/**
 * Decides what the receipts of one message come to. Pure; the same receipts again change nothing, in any order.
 *
 * A failed receipt ends its call, once, and gets the reaction that the same code would have got in the answer. It does not touch a message
 * that another call of its own may still deliver, or that a later call has put back into the queue. What was seen as delivered stays
 * delivered.
 */
export function judgeReceipts(
  {
    message,
    receipts,
    calls,
  }: Pick<MatchedReceipts, 'receipts' | 'calls'> & {
    message: Pick<
      MatchedReceipts['message'],
      'state' | 'attempts' | 'failures' | 'expiresAtMs' | 'templateFallback'
    >;
  },
  nowMs: number,
): ReceiptVerdict {
  const isOver = ({ attempt }: AttemptReceipt) => over.includes(calls.get(attempt));
  const failures = receipts.filter((each) => each.state === 'failed' && !isOver(each));
  const ended = new Set(failures.map(({ attempt }) => attempt));
  const isElsewhere = [...calls].some(([attempt, state]) => alive.includes(state) && !ended.has(attempt));
  const isOpen = (openStates as readonly MessageState[]).includes(message.state);
  const last = failures.toSorted((a, b) => a.attempt - b.attempt).at(-1);
  // Of a call that was refused in its answer, "sent" counts all the same: what the provider has seen happen, happened.
  const hasFailed = ({ attempt }: AttemptReceipt) => calls.get(attempt) === 'failed';
  const told = receipts.filter(
    (each) => each.state !== 'failed' && !(each.state === 'sent' && hasFailed(each)),
  );
  const counts = last && !isElsewhere && (last.attempt === message.attempts || !isOpen);
  const change = foldReceipts(message.state, counts ? [...told, last] : told);
  const verdict: ReceiptVerdict = { ...change, rule: undefined, retry: undefined, calls: new Map() };
  for (const { attempt, state } of receipts)
    if (!over.includes(calls.get(attempt)) && verdict.calls.get(attempt) !== 'failed')
      verdict.calls.set(attempt, state === 'failed' ? 'failed' : 'accepted');
  const { failure } = verdict;
  if (!failure) return verdict;
  if (failure.code === undefined) return verdict;
  const rule = ruleForCode(failure.code);
  verdict.rule = rule;
  if (!resendable.includes(change.before)) return verdict;
  if (message.expiresAtMs !== null && message.expiresAtMs <= nowMs) return verdict;
  const fallsBack = rule.action === 'fail-window' && message.templateFallback !== null;
  const refusal = afterRefusal(
    rule,
    { code: failure.code, details: failure.detail ?? '' },
    message.failures,
    nowMs,
  );
  if (fallsBack) verdict.retry = { atMs: nowMs, isTry: true, fallsBack };
  else if (refusal.state === 'queued')
    verdict.retry = {
      // No process may still have the id that was of no use.
      atMs: isUnusableFile(String(failure.code))
        ? Math.max(Math.ceil(refusal.wakeAtMs), nowMs + FILE_REMEMBERED_MS + 1000)
        : Math.ceil(refusal.wakeAtMs),
      isTry: refusal.isTry,
      fallsBack,
    };
  if (!verdict.retry) return verdict;
  verdict.after = 'queued';
  verdict.steps = verdict.steps.filter((step) => step !== failure);
  return verdict;
}
