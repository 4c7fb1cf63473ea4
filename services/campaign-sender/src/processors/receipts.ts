import type { JobPayload, Processor } from '@switchyard/jobs';
import type { Store } from '../database/scope.ts';
import type { FirstTime } from '../inbound/receive-messages.ts';
import type { DueNotes } from '../pacing/due-notes.ts';
import { applyAccountUpdate } from '../receipts/apply-account-update.ts';
import { applyPreferences } from '../receipts/apply-preferences.ts';
import { applyReceipts, rememberStatusTime } from '../receipts/apply-statuses.ts';
import { readStatuses } from '../receipts/read-status.ts';
import type { SenderDirectory } from '../senders/sender-directory.ts';
import type { Reactions } from '../sending/create-reactions.ts';
import { needsReaction } from '../sending/react-to-error.ts';
import type { TemplateDirectory } from '../templates/template-directory.ts';

/** What the processors of `receipts` need. */
export interface ReceiptsParts {
  store: Store;
  firstTime: FirstTime;
  senders: SenderDirectory;
  templates: Pick<TemplateDirectory, 'forget'>;
  reactions: Pick<Reactions, 'toPace'>;
  notes: DueNotes;
}

/** `receipts`/apply-statuses: idempotent by rank, so it has no key. */
export function createApplyStatuses({
  store,
  senders,
  templates,
  reactions,
}: ReceiptsParts): Processor<JobPayload<'receipts', 'apply-statuses'>> {
  return async (payload, { logger }) => {
    const { merchantId, phoneNumberId, wabaId } = payload;
    const receipts = readStatuses(payload.statuses, payload.receivedAtMs);
    const sender = await senders.byPhoneNumberId(merchantId, phoneNumberId, { wabaId });
    const { failures, ...applied } = await applyReceipts(store, { merchantId, sender, receipts });
    // After the receipts themselves: "a later status has been seen" must not be true before that status has settled its message.
    await rememberStatusTime(store, sender.id, sender.lastStatusAtMs, receipts);
    const skipped = payload.statuses.length - receipts.length;
    if (skipped > 0) logger.warn({ skipped }, 'statuses of an unknown kind were left out');
    if (failures.some(({ rule }) => needsReaction(rule))) {
      senders.forget();
      templates.forget();
    }
    // Of its number or its recipient each is told once a batch. Should this process die before, the next refusal says it again.
    const told = new Map(
      failures.map((each) => [
        each.rule.action === 'delay-recipient' ? each.address : each.rule.action,
        each,
      ]),
    );
    for (const { address, rule } of told.values()) await reactions.toPace(address, sender, rule);
    return applied;
  };
}

/** `receipts`/apply-account-update. */
export function createApplyAccountUpdate({
  store,
  firstTime,
  senders,
  templates,
  notes,
}: ReceiptsParts): Processor<JobPayload<'receipts', 'apply-account-update'>> {
  return async (payload) => {
    const woken = await applyAccountUpdate(store, firstTime, payload);
    senders.forget();
    templates.forget();
    for (const senderId of woken) notes.add(senderId, store.now());
  };
}

/** `receipts`/apply-preferences. */
export function createApplyPreferences({
  store,
  firstTime,
}: ReceiptsParts): Processor<JobPayload<'receipts', 'apply-preferences'>> {
  return async (payload) => {
    await applyPreferences(store, firstTime, payload);
  };
}
