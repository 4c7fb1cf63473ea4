import type { Scope, Store } from '../database/scope.ts';
import { dropUploads, isUnusableFile } from '../media-out/drop-uploads.ts';
import { becomeTemplate } from '../messages/fall-back.ts';
import type { ProviderErrorRule } from '../sending/provider-errors.ts';
import { needsReaction, reactToError, templateOf } from '../sending/react-to-error.ts';
import type { ReceiptBatch } from './match-receipts.ts';
import type { Judged } from './settle-calls.ts';

/** A failure that a receipt has told of, for what is done beyond SQL. */
export interface ReceiptFailure {
  rule: ProviderErrorRule;
  code: string;
  address: string;
}

/**
 * Does what the error table says about failed receipts, in their transaction: messages fall back to their templates, files are uploaded
 * anew, numbers and accounts paused, templates held, people suppressed. Each pause and each template once, however many messages tell of it.
 *
 * @returns the failures, for the pace: that is kept in Redis, and adapted when this has been committed.
 */
export async function reactToFailures(
  scope: Scope,
  store: Store,
  { merchantId, sender }: ReceiptBatch,
  judged: readonly Judged[],
  nowMs: number,
): Promise<ReceiptFailure[]> {
  const failures: ReceiptFailure[] = [];
  const done = new Set<string>();
  // In the order of contacts, who are locked: so do others.
  const byContact = judged.toSorted((a, b) =>
    (a.message.contactId ?? '') < (b.message.contactId ?? '') ? -1 : 1,
  );
  for (const { message, change } of byContact) {
    const { failure, rule, retry } = change;
    if (!failure || !rule) continue;
    const code = String(failure.code);
    failures.push({ rule, code, address: message.address });
    const content = JSON.parse(message.content) as Record<string, unknown>;
    const { id, type, attempts, contactId } = message;
    if (isUnusableFile(code)) await dropUploads(scope.trx, sender.id, { type, content });
    if (retry?.fallsBack)
      await becomeTemplate(scope, store, {
        ...{ id, attempts, type, content },
        templateFallback: JSON.parse(message.templateFallback!) as Record<string, unknown>,
      });
    if (!needsReaction(rule)) continue;
    const template = templateOf({ type, content });
    const key =
      rule.action === 'fail-and-suppress'
        ? `contact ${contactId}`
        : `${rule.action} ${template?.name} ${template?.language}`;
    if (done.has(key)) continue;
    done.add(key);
    const subject = { merchantId, contactId, senderId: sender.id, wabaId: sender.wabaId, template };
    await reactToError(scope, store.dialect, rule, code, subject, nowMs);
  }
  return failures;
}
