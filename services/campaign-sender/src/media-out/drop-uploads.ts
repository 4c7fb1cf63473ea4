import type { Executor } from '../database/scope.ts';
import { findMedia } from './media-references.ts';

/** Codes that say that the provider could not use a file. */
const unusable: readonly string[] = ['131052', '131053'];

/** Whether a refusal is for a file that another upload may mend. */
export function isUnusableFile(code: string): boolean {
  return unusable.includes(code);
}

/**
 * Forgets the provider's ids of a message's files for a number, since the provider could not use them: who sends them next uploads
 * them again. Safe to repeat.
 */
export async function dropUploads(
  trx: Executor,
  senderId: string,
  { type, content }: { type: string; content: Record<string, unknown> },
): Promise<void> {
  const ids = findMedia(type, content).map(({ mediaId }) => mediaId);
  if (ids.length === 0) return;
  for (const table of ['media_files', 'inbound_media'] as const) {
    const rows = await trx.selectFrom(table).select('sha256').where('id', 'in', ids).execute();
    const hashes = rows.map(({ sha256 }) => sha256).filter((sha256) => sha256 !== null);
    if (hashes.length > 0)
      await trx
        .deleteFrom('media_uploads')
        .where('senderId', '=', senderId)
        .where('sha256', 'in', hashes)
        .execute();
  }
}
