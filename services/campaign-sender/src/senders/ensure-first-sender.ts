import type { SecretBox } from '@switchyard/database';
import { DEFAULT_MERCHANT_ID } from '@switchyard/runtime';
import type { InScope } from '../database/scope.ts';
import { changeSender, findSender, insertSender } from './sender-store.ts';

/** What the environment says of the first number (R7.1). */
export interface FirstSenderSettings {
  whatsappPhoneNumberId: string | undefined;
  whatsappAccessToken: string | undefined;
  whatsappBusinessAccountId: string | undefined;
  whatsappMessagesPerSecond: number | undefined;
}

/**
 * Makes the default merchant's number from the environment, which has the last word at every start: a rotated token takes effect.
 * Does nothing unless number and token are set.
 *
 * @param inScope of replicas that start at once, all but one lose the race to record the number, and look again.
 */
export async function ensureFirstSender(
  inScope: InScope,
  secretBox: SecretBox,
  settings: FirstSenderSettings,
): Promise<void> {
  const { whatsappPhoneNumberId, whatsappAccessToken } = settings;
  if (whatsappPhoneNumberId === undefined || whatsappAccessToken === undefined) return;
  const input = {
    merchantId: DEFAULT_MERCHANT_ID,
    phoneNumberId: whatsappPhoneNumberId,
    accessToken: whatsappAccessToken,
    wabaId: settings.whatsappBusinessAccountId,
    messagesPerSecond: settings.whatsappMessagesPerSecond,
    isDefault: true,
  };
  await inScope(async ({ trx }) => {
    const known = await findSender(trx, DEFAULT_MERCHANT_ID, whatsappPhoneNumberId);
    if (known) await changeSender(trx, secretBox, known.id, input);
    else await insertSender(trx, secretBox, input);
  });
}
