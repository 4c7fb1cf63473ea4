import { createHash } from 'node:crypto';
import { type Readable, Transform } from 'node:stream';
import type { FileStore } from '@switchyard/files';
import { createId } from '@switchyard/runtime';
import type { Store } from '../database/scope.ts';
import { mediaEmpty, mediaKindUnsupported, mediaTooLarge } from '../errors.ts';
import type { MediaFile } from './media-files.ts';
import { limitOf, plainType } from './media-kinds.ts';

/** A file as it comes. */
export interface IncomingFile {
  merchantId: string;
  content: Readable;
  mimeType: string;
  fileName: string | undefined;
}

const MIME_TYPE_MOST = 128;
/** Longer than any upload takes. */
const ABANDONED_MS = 6 * 3_600_000;

/** A stored file's row. */
export type StoredFile = MediaFile & { createdAtMs: number };

/**
 * Stores a file as it is read, whatever its size, and records it. The same bytes of the same type are one file of a merchant.
 *
 * Before the file there is a note that it is to be deleted, a few hours from now; the transaction that records the file takes the note away. So
 * whenever the process dies, nothing lies in the store for ever that nobody knows of.
 *
 * @throws MEDIA_KIND_UNSUPPORTED, MEDIA_TOO_LARGE, MEDIA_EMPTY, and what the file store throws.
 */
export async function storeMedia(
  store: Store,
  files: Pick<FileStore, 'put' | 'delete'>,
  { merchantId, content, fileName, ...incoming }: IncomingFile,
): Promise<{ file: StoredFile; isNew: boolean }> {
  // Parameters such as codecs matter to the provider; what is too long to be one does not.
  const mimeType =
    incoming.mimeType.length > MIME_TYPE_MOST ? plainType(incoming.mimeType) : incoming.mimeType;
  const limitBytes = limitOf(mimeType);
  if (limitBytes === undefined) {
    content.resume();
    throw mediaKindUnsupported('no kind of message takes files of this type', {
      details: { mimeType: plainType(mimeType) },
    });
  }
  const id = createId('med');
  const path = `outgoing/${merchantId}/${id}`;
  await store.db
    .insertInto('file_removals')
    .values({ path, merchantId, createdAtMs: store.now() + ABANDONED_MS })
    .execute();
  const gauge = measure(limitBytes);
  content.on('error', (error) => gauge.stream.destroy(error));
  try {
    await files.put(path, content.pipe(gauge.stream), { mimeType });
    const { bytes, sha256 } = gauge.result();
    if (bytes === 0) throw mediaEmpty('the file is empty');
    const known = await find(store, merchantId, sha256, mimeType);
    if (known) {
      await discard(store, files, path);
      return { file: known, isNew: false };
    }
    const file = { id, merchantId, path, sha256, mimeType, bytes, fileName: fileName ?? null };
    const row = { ...file, createdAtMs: store.now() };
    await store.inScope(async ({ trx }) => {
      await trx.insertInto('media_files').values(row).execute();
      await trx.deleteFrom('file_removals').where('path', '=', path).execute();
    });
    return { file: row, isNew: true };
  } catch (error) {
    // Should that fail too, the note stays.
    await discard(store, files, path).catch(() => undefined);
    throw error;
  }
}

/** The file first: while it is there, so is the note. */
async function discard({ db }: Store, files: Pick<FileStore, 'delete'>, path: string): Promise<void> {
  await files.delete(path);
  await db.deleteFrom('file_removals').where('path', '=', path).execute();
}

async function find(store: Store, merchantId: string, sha256: string, mimeType: string) {
  return await store.db
    .selectFrom('media_files')
    .selectAll()
    .where('merchantId', '=', merchantId)
    .where('sha256', '=', sha256)
    .where('mimeType', '=', mimeType)
    .limit(1)
    .executeTakeFirst();
}

function measure(limitBytes: number) {
  const hash = createHash('sha256');
  let bytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      if (bytes > limitBytes)
        done(mediaTooLarge('the file is too large for its type', { details: { limitBytes } }));
      else done(null, chunk);
    },
  });
  return { stream, result: () => ({ bytes, sha256: hash.digest('hex') }) };
}
