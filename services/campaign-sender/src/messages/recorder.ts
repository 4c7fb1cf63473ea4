import { DEFAULT_MERCHANT_ID } from '@switchyard/runtime';
import type { GroupCommit } from '../database/group-commit.ts';
import type { Scope, Store } from '../database/scope.ts';
import type { Sender, SenderDirectory } from '../senders/sender-directory.ts';
import { notifyOrigin } from '../sending/notify-origin.ts';
import type { MessageCheck } from './check-message.ts';
import { type Correspondent, createFindCorrespondent } from './find-correspondent.ts';
import type { Candidate } from './message-candidate.ts';
import {
  type OutgoingMessage,
  type OutgoingProblem,
  priorityOf,
  readOutgoing,
  type SendMessage,
} from './outgoing-message.ts';
import { readKnownRecipient } from './recipient.ts';
import { type MessageToRecord, recordMessages } from './record-messages.ts';

/** Records requests to send; concurrent ones share a transaction. */
export interface Recorder extends MessageCheck {
  /** Records what a job asks for. @returns the message as it is now: new, or as an earlier try of the job left it. */
  record(payload: SendMessage, fallbackId: string): Promise<Candidate>;
  /**
   * Makes ready what a job asks for without recording it: a message to someone who has written to us is first written down with its
   * intent. @returns undefined for any other, which is to be recorded.
   */
  meet(payload: SendMessage, fallbackId: string): Promise<Candidate | undefined>;
  /** Finds the number a message goes out from; one of another merchant is none. */
  chooseSender(message: Pick<OutgoingMessage, 'merchantId' | 'senderId'>): Promise<Sender | undefined>;
}

const BATCH_SIZE = 100;

/** Makes the recorder. */
export function createRecorder(
  store: Store,
  group: GroupCommit,
  senders: SenderDirectory,
  checks: MessageCheck,
): Recorder {
  const findCorrespondent = createFindCorrespondent(store.db);
  const batch = group.batcher<MessageToRecord, Candidate>({
    maxItems: BATCH_SIZE,
    async run(scope, items) {
      const nowMs = store.now();
      const recorded = await recordMessages(scope.trx, store.dialect, items, nowMs);
      for (const [index, item] of items.entries())
        if (item.problem) tellProblem(scope, recorded[index]!, item.problem, nowMs);
      return recorded;
    },
  });

  async function chooseSender({ merchantId, senderId }: Pick<OutgoingMessage, 'merchantId' | 'senderId'>) {
    const sender =
      senderId === undefined ? await senders.defaultOf(merchantId) : await senders.byId(senderId);
    return sender?.merchantId === merchantId ? sender : undefined;
  }

  const identityOf = ({ messageId, merchantId }: SendMessage, fallbackId: string) => ({
    id: messageId ?? fallbackId,
    merchantId: merchantId ?? DEFAULT_MERCHANT_ID,
  });

  return {
    ...checks,
    chooseSender,
    async meet(payload, fallbackId) {
      const to = readKnownRecipient(payload.to);
      // Whether a fallback goes instead is decided with its row.
      if (!to || payload.templateFallback !== undefined) return undefined;
      const { message, problem } = readOutgoing(payload, identityOf(payload, fallbackId), { to });
      const sender = problem ? undefined : await chooseSender(message);
      if (!sender || (await checks.check(message, sender))) return undefined;
      const person = await findCorrespondent(message.merchantId, to);
      if (!person || (message.contactId ?? person.contactId) !== person.contactId) return undefined;
      return unrecordedCandidate({ message, problem: undefined, senderId: sender.id }, person);
    },
    async record(payload, fallbackId) {
      const { message, problem } = readOutgoing(payload, identityOf(payload, fallbackId));
      const sender = await chooseSender(message);
      return await batch.submit({
        message,
        problem: problem ?? (await checks.check(message, sender)),
        senderId: sender?.id ?? null,
      });
    },
  };
}

/** The message as it would be read back, had it been recorded. */
function unrecordedCandidate(item: MessageToRecord, person: Correspondent): Candidate {
  const { message, senderId } = item;
  return {
    id: message.id,
    merchantId: message.merchantId,
    contactId: person.contactId,
    senderId,
    addressKind: message.to.kind,
    address: message.to.value,
    type: message.type,
    content: message.content,
    state: 'queued',
    priority: priorityOf(message.lane),
    lane: message.lane,
    origin: message.origin ?? null,
    replyTo: message.replyTo ?? null,
    onUnknown: message.onUnknown,
    attempts: 0,
    failures: 0,
    expiresAtMs: message.expiresAtMs ?? null,
    nextAttemptAtMs: null,
    templateFallback: null,
    optedOut: person.optedOut,
    marketingOptedOut: person.marketingOptedOut,
    contactPhone: person.phone,
    windowExpiresAtMs: person.windows.get(senderId ?? '') ?? 0,
    unrecorded: item,
  };
}

/** The flow learns at once that its message can't be sent; told again by another try of the job, the outcome's id absorbs it. */
function tellProblem(
  { enqueue }: Scope,
  recorded: Candidate,
  { code }: OutgoingProblem,
  nowMs: number,
): void {
  notifyOrigin(enqueue, recorded, 'failed', code, nowMs);
}
