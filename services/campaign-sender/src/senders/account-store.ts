import { createHash } from 'node:crypto';
import { insertIgnore } from '@switchyard/database';
import type { Dialect, Executor } from '../database/scope.ts';

/** Which account is meant. */
export interface AccountKey {
  merchantId: string;
  wabaId: string;
}

/** The row's id: the same account is the same row, whoever hears of it first. */
export function accountIdOf({ merchantId, wabaId }: AccountKey): string {
  return `acc_${createHash('sha256').update(`${merchantId}\n${wabaId}`).digest('hex').slice(0, 32)}`;
}

/** The context an account's token is sealed with: it opens in no other row. */
export function accountTokenContext(accountId: string): string {
  return `whatsapp_accounts.accessToken:${accountId}`;
}

/** Records accounts that are not recorded yet; they are due for reading at once. */
export async function ensureAccounts(
  trx: Executor,
  dialect: Dialect,
  accounts: readonly AccountKey[],
  nowMs: number,
): Promise<void> {
  if (accounts.length === 0) return;
  await insertIgnore(
    trx,
    dialect,
    'whatsapp_accounts',
    accounts.map((account) => ({
      id: accountIdOf(account),
      ...account,
      name: null,
      accessToken: null,
      syncedAtMs: null,
      nextSyncAtMs: nowMs,
      syncFailures: 0,
      syncProblem: null,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    })),
    ['id'],
  );
}

/** Has an account's numbers and templates read soon; several wishes are one reading. */
export async function requestSync(
  trx: Executor,
  dialect: Dialect,
  account: AccountKey,
  nowMs: number,
): Promise<void> {
  await ensureAccounts(trx, dialect, [account], nowMs);
  await trx
    .updateTable('whatsapp_accounts')
    .set({ nextSyncAtMs: nowMs })
    .where('id', '=', accountIdOf(account))
    .where('nextSyncAtMs', '>', nowMs)
    .execute();
}
