import { type Database, insertIgnore } from '@switchyard/database';
import { welcomeFlow } from '@switchyard/flows';
import { DEFAULT_MERCHANT_ID } from '@switchyard/runtime';
import type { FlowTables } from '../database/tables.ts';

/** Fixed, so that replicas that start at once install one flow between them. */
export const WELCOME_FLOW_ID = 'flow_welcome';

/**
 * Gives the default merchant the welcome flow, published (R7.4), unless the flow exists: changed or archived, it stays so.
 *
 * @returns whether it was installed.
 */
export async function installWelcomeFlow(database: Database<FlowTables>): Promise<boolean> {
  const now = Date.now();
  const common = { merchantId: DEFAULT_MERCHANT_ID, createdAtMs: now, updatedAtMs: now };
  return database.transaction(async (trx) => {
    const inserted = await insertIgnore(
      trx,
      database.dialect,
      'flows',
      [
        {
          ...common,
          id: WELCOME_FLOW_ID,
          name: welcomeFlow.name,
          state: 'active' as const,
          publishedVersion: 1,
          draftVersion: null,
          latestVersion: 1,
        },
      ],
      ['id'],
    );
    if (inserted === 0) return false;
    await trx
      .insertInto('flowVersions')
      .values({
        ...common,
        flowId: WELCOME_FLOW_ID,
        version: 1,
        status: 'published',
        definition: JSON.stringify(welcomeFlow),
      })
      .execute();
    return true;
  });
}
