import { createId } from '@switchyard/runtime';
import type { ArchiveReplayRow } from '../database/tables.ts';

/** Of a replay that has not begun, or must begin anew. */
export const NOT_BEGUN = {
  afterId: '',
  accepted: 0,
  unrouted: 0,
  refused: 0,
  startedAtMs: null,
  finishedAtMs: null,
} as const satisfies Partial<ArchiveReplayRow>;

/** Makes the row of a replay. */
export function newReplay(
  asked: Pick<
    ArchiveReplayRow,
    'reason' | 'merchantId' | 'kind' | 'fromMs' | 'toMs' | 'notBeforeMs' | 'createdAtMs'
  >,
): ArchiveReplayRow {
  return { id: createId('rep'), ...asked, round: 0, ...NOT_BEGUN };
}
