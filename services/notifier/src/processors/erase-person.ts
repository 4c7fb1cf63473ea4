import type { Database } from '@switchyard/database';
import { createPersonFinder, type JobPayload, needleOf, type Processor } from '@switchyard/jobs';
import type { Outbox } from '@switchyard/outbox';
import type { ForgetPerson } from '@switchyard/runtime';
import type { NotifierTables } from '../database/tables.ts';

const AT_ONCE = 500;

/**
 * Erases deliveries that tell of a person, with their attempts, emails to or about them, and failed jobs, and acknowledges.
 *
 * Twice is harmless: the second time there is nothing left.
 */
export function createErasePerson(deps: {
  database: Database<NotifierTables>;
  outbox: Outbox<NotifierTables>;
  forgetPerson: ForgetPerson;
}): Processor<JobPayload<'webhooks', 'erase-person'>> {
  const { database, outbox, forgetPerson } = deps;
  return async ({ merchantId, erasureId, contactIds, identifiers }) => {
    const named = [...identifiers, ...contactIds.map((value) => ({ kind: 'contact_id', value }))];
    const erasedJobs = await forgetPerson(merchantId, named);
    const needles = named.flatMap((each) => needleOf(each) ?? []);
    const isNamed = createPersonFinder(named);
    // SQL finds a few too many; which of them name the person is decided here.
    const patterns = needles.map((needle) => `%${needle.toLowerCase()}%`);
    const rows =
      patterns.length === 0
        ? []
        : await database.db
            .selectFrom('deliveries')
            .select(['id', 'body'])
            .where('merchantId', '=', merchantId)
            .where((eb) => eb.or(patterns.map((pattern) => eb(eb.fn('lower', ['body']), 'like', pattern))))
            .execute();
    const ids = rows.filter(({ body }) => isNamed(body)).map(({ id }) => id);
    const emails =
      patterns.length === 0
        ? []
        : await database.db
            .selectFrom('emails')
            .select(['id', 'addressees', 'subject', 'text', 'html'])
            .where('merchantId', '=', merchantId)
            .where((eb) =>
              eb.or(
                (['addressees', 'subject', 'text', 'html'] as const).flatMap((column) =>
                  patterns.map((pattern) => eb(eb.fn('lower', [column]), 'like', pattern)),
                ),
              ),
            )
            .execute();
    const emailIds = emails
      .filter(({ addressees, subject, text, html }) =>
        isNamed([addressees, subject, text ?? '', html ?? ''].join('\n')),
      )
      .map(({ id }) => id);
    const erasedRecords = erasedJobs + ids.length + emailIds.length;
    await outbox.transaction(async (trx, enqueue) => {
      for (let at = 0; at < ids.length; at += AT_ONCE) {
        const some = ids.slice(at, at + AT_ONCE);
        await trx.deleteFrom('deliveryAttempts').where('deliveryId', 'in', some).execute();
        await trx.deleteFrom('deliveries').where('id', 'in', some).execute();
      }
      for (let at = 0; at < emailIds.length; at += AT_ONCE)
        await trx
          .deleteFrom('emails')
          .where('id', 'in', emailIds.slice(at, at + AT_ONCE))
          .execute();
      enqueue({
        queue: 'control',
        name: 'acknowledge-erasure',
        payload: {
          merchantId,
          erasureId,
          owner: 'notifier',
          erasedRecords,
          completedAtMs: Date.now(),
        },
        meta: { merchantId, correlationId: erasureId },
      });
    });
    return { erasedRecords };
  };
}
