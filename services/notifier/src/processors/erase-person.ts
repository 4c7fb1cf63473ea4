import type { Database } from '@switchyard/database';
import { createPersonFinder, type JobPayload, needleOf, type Processor } from '@switchyard/jobs';
import type { Outbox } from '@switchyard/outbox';
import type { NotifierTables } from '../database/tables.ts';

const AT_ONCE = 500;

/**
 * Erases deliveries that tell of a person, with their attempts, and acknowledges.
 *
 * Twice is harmless: the second time there is nothing left.
 */
export function createErasePerson(deps: {
  database: Database<NotifierTables>;
  outbox: Outbox<NotifierTables>;
}): Processor<JobPayload<'webhooks', 'erase-person'>> {
  const { database, outbox } = deps;
  return async ({ merchantId, erasureId, contactIds, identifiers }) => {
    const named = [...identifiers, ...contactIds.map((value) => ({ kind: 'contact_id', value }))];
    const needles = named.flatMap((each) => needleOf(each) ?? []);
    const isNamed = createPersonFinder(named);
    // SQL finds a few too many; which of them name the person is decided here.
    const rows =
      needles.length === 0
        ? []
        : await database.db
            .selectFrom('deliveries')
            .select(['id', 'body'])
            .where('merchantId', '=', merchantId)
            .where((eb) =>
              eb.or(
                needles.map((needle) => eb(eb.fn('lower', ['body']), 'like', `%${needle.toLowerCase()}%`)),
              ),
            )
            .execute();
    const ids = rows.filter(({ body }) => isNamed(body)).map(({ id }) => id);
    await outbox.transaction(async (trx, enqueue) => {
      for (let at = 0; at < ids.length; at += AT_ONCE) {
        const some = ids.slice(at, at + AT_ONCE);
        await trx.deleteFrom('deliveryAttempts').where('deliveryId', 'in', some).execute();
        await trx.deleteFrom('deliveries').where('id', 'in', some).execute();
      }
      enqueue({
        queue: 'control',
        name: 'acknowledge-erasure',
        payload: {
          merchantId,
          erasureId,
          owner: 'notifier',
          erasedRecords: ids.length,
          completedAtMs: Date.now(),
        },
        meta: { merchantId, correlationId: erasureId },
      });
    });
    return { erasedRecords: ids.length };
  };
}
