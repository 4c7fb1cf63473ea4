import { dialectOf, type SecretBox } from '@switchyard/database';
import { createId } from '@switchyard/runtime';
import type { Executor } from '../database/scope.ts';
import { senderExists } from '../errors.ts';
import { requestSync } from './account-store.ts';
import { throughputOf } from './number-facts.ts';
import { tokenContext } from './sender-directory.ts';

/** A number to record, or new facts about one. */
export interface SenderInput {
  merchantId: string;
  phoneNumberId: string;
  wabaId?: string | undefined;
  displayPhoneNumber?: string | undefined;
  accessToken?: string | undefined;
  /** `provider`: what the provider allows, and moves with it. */
  messagesPerSecond?: number | 'provider' | undefined;
  isDefault?: boolean | undefined;
}

/**
 * Records a number. One that webhooks have met before, and that has no token yet, is completed.
 *
 * @param trx of `InScope`, which looks again where another process has just recorded the number.
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
  return await insertSender(trx, secretBox, input);
}

/**
 * Records a number that has just been looked for and not been found.
 *
 * @param trx of `InScope`: where another process was faster, the work is done again, and finds it.
 * @returns its id.
 */
export async function insertSender(trx: Executor, secretBox: SecretBox, input: SenderInput): Promise<string> {
  const nowMs = Date.now();
  const id = createId('snd', nowMs);
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
      portfolioId: null,
      peoplePerDay: null,
      probeAtMs: null,
      probes: null,
      ...rateOf(input.messagesPerSecond ?? null, null),
      isDefault: input.isDefault ? 1 : 0,
      lastStatusAtMs: 0,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    })
    .execute();
  await keepDefaultSingle(trx, input.merchantId, id, input.isDefault);
  await knowAccount(trx, input.merchantId, input.wabaId, nowMs);
  return id;
}

/** A merchant has one default number. */
async function keepDefaultSingle(
  trx: Executor,
  merchantId: string,
  id: string,
  isDefault: boolean | undefined,
): Promise<void> {
  if (!isDefault) return;
  await trx
    .updateTable('senders')
    .set({ isDefault: 0 })
    .where('merchantId', '=', merchantId)
    .where('id', '!=', id)
    .where('isDefault', '=', 1)
    .execute();
}

/** A number's account is read from the provider as soon as it is known. */
async function knowAccount(
  trx: Executor,
  merchantId: string,
  wabaId: string | undefined,
  nowMs: number,
): Promise<void> {
  if (wabaId !== undefined) await requestSync(trx, dialectOf(trx), { merchantId, wabaId }, nowMs);
}

function rateOf(rate: number | 'provider' | null, throughputLevel: string | null) {
  return rate === 'provider'
    ? { followsProvider: 1 as const, messagesPerSecond: throughputOf(throughputLevel) ?? null }
    : { followsProvider: 0 as const, messagesPerSecond: rate };
}

/** Sets what is given of a number; null for `messagesPerSecond` goes back to the default rate, `provider` follows what it allows. */
export async function changeSender(
  trx: Executor,
  secretBox: SecretBox,
  id: string,
  changes: Partial<Omit<SenderInput, 'messagesPerSecond'>> & {
    messagesPerSecond?: number | 'provider' | null | undefined;
  },
): Promise<void> {
  const { accessToken, isDefault, wabaId, displayPhoneNumber, messagesPerSecond } = changes;
  const nowMs = Date.now();
  const row = await trx
    .selectFrom('senders')
    .select(['merchantId', 'throughputLevel'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  await trx
    .updateTable('senders')
    .set({
      updatedAtMs: nowMs,
      ...(accessToken === undefined ? {} : { accessToken: secretBox.seal(accessToken, tokenContext(id)) }),
      ...(isDefault === undefined ? {} : { isDefault: isDefault ? 1 : 0 }),
      ...(wabaId === undefined ? {} : { wabaId }),
      ...(displayPhoneNumber === undefined ? {} : { displayPhoneNumber }),
      ...(messagesPerSecond === undefined ? {} : rateOf(messagesPerSecond, row.throughputLevel)),
    })
    .where('id', '=', id)
    .execute();
  await keepDefaultSingle(trx, row.merchantId, id, isDefault);
  await knowAccount(trx, row.merchantId, wabaId, nowMs);
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
