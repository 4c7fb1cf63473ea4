import { insertIgnore } from '@switchyard/database';
import type { Store } from '../database/scope.ts';
import type { Candidate } from './message-candidate.ts';

/**
 * Turns a queued free-form message whose window is closed into the template that its caller has named; from then on it is a template
 * like any other. What it was stays readable in `replaced`.
 *
 * @returns the message as it is now; undefined when somebody else was faster.
 */
export async function fallBack(store: Store, candidate: Candidate): Promise<Candidate | undefined> {
  const { id, attempts, type, content, templateFallback } = candidate;
  if (templateFallback === null) return undefined;
  const nowMs = store.now();
  const done = await store.inScope(async ({ trx }) => {
    const { numUpdatedRows } = await trx
      .updateTable('messages')
      .set({
        type: 'template',
        content: JSON.stringify(templateFallback),
        templateFallback: null,
        replaced: JSON.stringify({ type, content }),
        updatedAtMs: nowMs,
      })
      .where('id', '=', id)
      .where('state', '=', 'queued')
      .where('attempts', '=', attempts)
      .executeTakeFirst();
    if (Number(numUpdatedRows) === 0) return false;
    await insertIgnore(
      trx,
      store.dialect,
      'message_timeline',
      [
        {
          messageId: id,
          state: 'queued',
          attempt: attempts,
          occurredAtMs: nowMs,
          recordedAtMs: nowMs,
          cause: 'window closed',
          code: null,
          detail: `goes out as template ${String(templateFallback.name)}`.slice(0, 500),
        },
      ],
      ['messageId', 'state', 'attempt'],
    );
    return true;
  });
  return done
    ? { ...candidate, type: 'template', content: templateFallback, templateFallback: null }
    : undefined;
}
