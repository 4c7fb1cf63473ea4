import { isUniqueViolation, type SecretBox } from '@switchyard/database';
import { createId } from '@switchyard/runtime';
import type { Executor, Scope } from '../database/scope.ts';
import { senderExists } from '../errors.ts';
import { tokenContext } from './sender-directory.ts';

/** A number to record, or new facts about one. */
export interface SenderInput {
  merchantId: string;
  phoneNumberId: string;
  wabaId?: string | undefined;
  displayPhoneNumber?: string | undefined;
  accessToken?: string | undefined;
  messagesPerSecond?: number | undefined;
  isDefault?: boolean | undefined;
}

/**
 * Records a number. One that webhooks have met before, and that has no token yet, is completed.
 *
 * @returns its id.
 * @throws SENDER_EXISTS when it is complete already.
 */
export async function createSender(trx: Executor, secretBox: SecretBox, input: SenderInput): Promise<string> {
  const known = await findSender(trx, input.merchantId, input.phoneNumberId);
  if (known) {
    if (known.accessToken !== null) throw senderExists('this number is recorded already');
    await changeSender(trx, secretBox, known.id, input);
    return known.id;
  }
  const nowMs = Date.now();
  const id = createId('snd', nowMs);
  try {
    await trx
      .insertInto('senders')
      .values({
        id,
        merchantId: input.merchantId,
        phoneNumberId: input.phoneNumberId,
        wabaId: input.wabaId ?? null,
        displayPhoneNumber: input.displayPhoneNumber ?? null,
        accessToken:
          input.accessToken === undefined ? null : secretBox.seal(input.accessToken, tokenContext(id)),
        state: 'active',
        pauseCode: null,
        pauseReason: null,
        pausedAtMs: null,
        messagesPerSecond: input.messagesPerSecond ?? null,
        portfolioId: null,
        peoplePerDay: null,
        probeAtMs: null,
        probes: null,
        isDefault: input.isDefault ? 1 : 0,
        lastStatusAtMs: 0,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
      })
      .execute();
  } catch (error) {
    if (isUniqueViolation(error)) throw senderExists('this number is recorded already');
    throw error;
  }
  return id;
}

/** Sets what is given of a number; null for `messagesPerSecond` goes back to the default rate. */
export async function changeSender(
  trx: Executor,
  secretBox: SecretBox,
  id: string,
  changes: Partial<Omit<SenderInput, 'messagesPerSecond'>> & {
    messagesPerSecond?: number | null | undefined;
  },
): Promise<void> {
  const { accessToken, isDefault, wabaId, displayPhoneNumber, messagesPerSecond } = changes;
  await trx
    .updateTable('senders')
    .set({
      updatedAtMs: Date.now(),
      ...(accessToken === undefined ? {} : { accessToken: secretBox.seal(accessToken, tokenContext(id)) }),
      ...(isDefault === undefined ? {} : { isDefault: isDefault ? 1 : 0 }),
      ...(wabaId === undefined ? {} : { wabaId }),
      ...(displayPhoneNumber === undefined ? {} : { displayPhoneNumber }),
      ...(messagesPerSecond === undefined ? {} : { messagesPerSecond }),
    })
    .where('id', '=', id)
    .execute();
}

/** Finds a number by the provider's id. */
export async function findSender(db: Executor, merchantId: string, phoneNumberId: string) {
  return await db
    .selectFrom('senders')
    .selectAll()
    .where('merchantId', '=', merchantId)
    .where('phoneNumberId', '=', phoneNumberId)
    .executeTakeFirst();
}

/** Why numbers stop. */
export interface PauseCause {
  code: string;
  reason: string;
}

/**
 * Stops numbers until somebody resumes them, and tells the operators once.
 *
 * @param which one number, or every number of an account.
 */
export async function pauseSenders(
  { trx, enqueue }: Scope,
  merchantId: string,
  which: { id: string } | { wabaId: string },
  { code, reason }: PauseCause,
  nowMs: number,
): Promise<void> {
  let update = trx
    .updateTable('senders')
    .set({ state: 'paused', pauseCode: code, pauseReason: reason, pausedAtMs: nowMs, updatedAtMs: nowMs })
    .where('merchantId', '=', merchantId)
    .where('state', '=', 'active');
  update = 'id' in which ? update.where('id', '=', which.id) : update.where('wabaId', '=', which.wabaId);
  const { numUpdatedRows } = await update.executeTakeFirst();
  if (Number(numUpdatedRows) === 0) return;
  const subject = 'id' in which ? which.id : which.wabaId;
  enqueue({
    queue: 'notifications',
    name: 'send-notification',
    payload: {
      merchantId,
      notificationId: createId('ntf', nowMs),
      key: `sender-paused-${subject}`,
      severity: 'critical',
      title: `Sending has stopped for ${'id' in which ? 'number' : 'account'} ${subject}`,
      body: `${reason} (${code}). Its messages wait until it is resumed.`,
      occurredAtMs: nowMs,
    },
    meta: { merchantId },
  });
}

/** Lets a paused number send again; its messages are due at once. */
export async function resumeSender(trx: Executor, id: string, nowMs: number): Promise<void> {
  await trx
    .updateTable('senders')
    .set({ state: 'active', pauseCode: null, pauseReason: null, pausedAtMs: null, updatedAtMs: nowMs })
    .where('id', '=', id)
    .execute();
  await trx
    .updateTable('messages')
    .set({ nextAttemptAtMs: nowMs })
    .where('senderId', '=', id)
    .where('state', '=', 'queued')
    .where('nextAttemptAtMs', '>', nowMs)
    .execute();
}
