import type { Database, Leases } from '@switchyard/database';
import type { JobPayload, PersonIdentifier } from '@switchyard/jobs';
import type { Outbox } from '@switchyard/outbox';
import type { RedisClient } from '@switchyard/redis';
import type { ForgetPerson } from '@switchyard/runtime';
import type { FlowTables } from '../database/tables.ts';
import { conversationBusy } from '../errors.ts';
import { addCounts } from '../statistics/add-counts.ts';
import { countRuns } from '../statistics/count-runs.ts';
import { leaseName } from './create-inbox.ts';
import { sessionKey } from './session.ts';

type Erased = JobPayload<'flows', 'erase-person'>['contacts'][number];

const LEASE_MS = 30_000;
const TRY_AGAIN_MS = 2000;

/** What {@link createErasure} needs. */
export interface ErasureParts {
  database: Database<FlowTables>;
  outbox: Outbox<FlowTables>;
  leases: Leases;
  owner: string;
  /** Of the cache role, which holds the sessions. */
  cache: Pick<RedisClient, 'del'>;
  forgetPerson: ForgetPerson;
  keyPrefix: string;
}

/**
 * Makes the processor of `flows`/erase-person: forgets contacts that were erased, with their conversations, inputs, runs, journal and
 * failed jobs, and acknowledges. Holds each contact's lease meanwhile, so that a run that is just being advanced can't write again what
 * was erased.
 *
 * Twice is harmless: the second time there is nothing left.
 *
 * @throws CodedError CONVERSATION_BUSY (later) while another process holds a contact's lease.
 */
export function createErasure(parts: ErasureParts) {
  const { database, outbox, leases, owner, cache, keyPrefix, forgetPerson } = parts;

  async function eraseContact(merchantId: string, contactId: string): Promise<number> {
    const lease = await leases.acquire(leaseName({ merchantId, contactId }), { owner, ttlMs: LEASE_MS });
    if (!lease)
      throw conversationBusy('the conversation is being advanced; it is erased after that', {
        delayMs: TRY_AGAIN_MS,
      });
    try {
      return await database.transaction(async (trx) => {
        await leases.check(trx, lease);
        const runs = await trx
          .selectFrom('runs')
          .selectAll()
          .where('merchantId', '=', merchantId)
          .where('contactId', '=', contactId)
          .execute();
        for (const { id } of runs) {
          await trx.deleteFrom('runJournal').where('runId', '=', id).execute();
          await trx.deleteFrom('runMessages').where('runId', '=', id).execute();
          await trx.deleteFrom('runs').where('id', '=', id).execute();
        }
        const gone = runs.map((before) => ({ before }));
        await addCounts(trx, database.dialect, countRuns(gone), Date.now());
        for (const table of ['inbox', 'conversations'] as const)
          await trx
            .deleteFrom(table)
            .where('merchantId', '=', merchantId)
            .where('contactId', '=', contactId)
            .execute();
        return runs.length;
      });
    } finally {
      await leases.release(lease);
    }
  }

  return async (payload: JobPayload<'flows', 'erase-person'>): Promise<{ erasedRecords: number }> => {
    const { merchantId, erasureId, contacts } = payload;
    let erasedRecords = await forgetPerson(merchantId, contacts.flatMap(identifiersOf));
    for (const contact of contacts) {
      erasedRecords += await eraseContact(merchantId, contact.id);
      // Lost with its Redis, or gone within hours by itself: not worth another try.
      await cache.del(`${keyPrefix}${sessionKey(merchantId, contact)}`).catch(() => undefined);
    }
    await outbox.transaction(async (_trx, enqueue) => {
      enqueue({
        queue: 'control',
        name: 'acknowledge-erasure',
        payload: { merchantId, erasureId, owner: 'flow-engine', erasedRecords, completedAtMs: Date.now() },
        meta: { merchantId, correlationId: erasureId },
      });
    });
    return { erasedRecords };
  };
}

function identifiersOf({ id, phone, userId }: Erased): PersonIdentifier[] {
  return [
    { kind: 'contact_id', value: id },
    ...(phone === undefined ? [] : [{ kind: 'phone', value: phone }]),
    ...(userId === undefined ? [] : [{ kind: 'user_id', value: userId }]),
  ];
}
