import { DEFAULT_MERCHANT_ID } from '@switchyard/runtime';
import type { GroupCommit } from '../database/group-commit.ts';
import type { Scope, Store } from '../database/scope.ts';
import type { Sender, SenderDirectory } from '../senders/sender-directory.ts';
import { notifyOrigin } from '../sending/notify-origin.ts';
import type { MessageCheck } from './check-message.ts';
import type { Candidate } from './message-candidate.ts';
import {
  type OutgoingMessage,
  type OutgoingProblem,
  readOutgoing,
  type SendMessage,
} from './outgoing-message.ts';
import { type MessageToRecord, recordMessages } from './record-messages.ts';

/** Records requests to send; concurrent ones share a transaction. */
export interface Recorder extends MessageCheck {
  /** Records what a job asks for. @returns the message as it is now: new, or as an earlier try of the job left it. */
  record(payload: SendMessage, fallbackId: string): Promise<Candidate>;
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

  return {
    ...checks,
    chooseSender,
    async record(payload, fallbackId) {
      const { message, problem } = readOutgoing(payload, {
        id: payload.messageId ?? fallbackId,
        merchantId: payload.merchantId ?? DEFAULT_MERCHANT_ID,
      });
      const sender = await chooseSender(message);
      return await batch.submit({
        message,
        problem: problem ?? (await checks.check(message, sender)),
        senderId: sender?.id ?? null,
      });
    },
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
