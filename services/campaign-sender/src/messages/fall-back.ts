import { insertIgnore } from '@switchyard/database';
import type { Scope, Store } from '../database/scope.ts';
import type { Candidate } from './message-candidate.ts';

/** A message that may become its template. */
export type Replaceable = Pick<Candidate, 'id' | 'attempts' | 'type' | 'content' | 'templateFallback'>;

/**
 * Turns a queued free-form message whose window is closed into the template that its caller has named; from then on it is a template
 * like any other. What it was stays readable in `replaced`.
 *
 * @returns the message as it is now; undefined when somebody else was faster.
 */
export async function fallBack(store: Store, candidate: Candidate): Promise<Candidate | undefined> {
  const { templateFallback } = candidate;
  if (templateFallback === null) return undefined;
  const done = await store.inScope((scope) => becomeTemplate(scope, store, candidate));
  return done
    ? { ...candidate, type: 'template', content: templateFallback, templateFallback: null }
    : undefined;
}

/** {@link fallBack} as part of another transaction. @returns false when somebody else was faster, or no template is named. */
export async function becomeTemplate(
  { trx }: Pick<Scope, 'trx'>,
  { dialect, now }: Pick<Store, 'dialect' | 'now'>,
  { id, attempts, type, content, templateFallback }: Replaceable,
): Promise<boolean> {
  if (templateFallback === null) return false;
  const nowMs = now();
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
  const note = {
    ...{ messageId: id, state: 'queued', attempt: attempts, occurredAtMs: nowMs, recordedAtMs: nowMs },
    ...{ cause: 'window closed', code: null },
    detail: `goes out as template ${String(templateFallback.name)}`.slice(0, 500),
  };
  await insertIgnore(trx, dialect, 'message_timeline', [note], ['messageId', 'state', 'attempt']);
  return true;
}
