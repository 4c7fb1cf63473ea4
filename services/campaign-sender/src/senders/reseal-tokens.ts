import type { SecretBox } from '@switchyard/database';
import type { Logger } from 'pino';
import type { Executor } from '../database/scope.ts';
import { accountTokenContext } from './account-store.ts';
import { tokenContext } from './sender-directory.ts';

const PAGE = 500;

/**
 * Seals again, with the first of `ENCRYPTION_KEYS`, tokens that an older key has sealed; after that the older key may be dropped. Runs
 * at every start, since keys change only with the environment. What can't be opened stays as it is and is logged.
 *
 * @returns how many were sealed again.
 */
export async function resealTokens(
  db: Executor,
  secretBox: Pick<SecretBox, 'open' | 'seal' | 'needsRotation'>,
  logger: Logger,
): Promise<number> {
  let count = 0;
  for (const [table, contextOf] of [
    ['senders', tokenContext],
    ['whatsapp_accounts', accountTokenContext],
  ] as const)
    for (let after = ''; ; ) {
      const rows = await db
        .selectFrom(table)
        .select(['id', 'accessToken'])
        .where('id', '>', after)
        .where('accessToken', 'is not', null)
        .orderBy('id')
        .limit(PAGE)
        .execute();
      for (const { id, accessToken } of rows) {
        try {
          if (accessToken === null || !secretBox.needsRotation(accessToken)) continue;
          const token = secretBox.open(accessToken, contextOf(id));
          // Only what was read: another process may have changed the token meanwhile.
          await db
            .updateTable(table)
            .set({ accessToken: secretBox.seal(token, contextOf(id)) })
            .where('id', '=', id)
            .where('accessToken', '=', accessToken)
            .execute();
          count += 1;
        } catch (error) {
          logger.error({ err: error, table, id }, "a token can't be sealed again");
        }
      }
      if (rows.length < PAGE) break;
      after = rows.at(-1)!.id;
    }
  if (count > 0) logger.info({ tokens: count }, 'tokens sealed again with the current key');
  return count;
}
