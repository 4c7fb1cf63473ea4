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

/** A stored file's row. */
export type StoredFile = MediaFile & { createdAtMs: number };

/**
 * Stores a file as it is read, whatever its size, and records it. The same bytes of the same type are one file of a merchant.
 *
 * The process dies before the row: the file lies in the store and nobody knows of it; nothing else is left.
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
  const gauge = measure(limitBytes);
  content.on('error', (error) => gauge.stream.destroy(error));
  await files.put(path, content.pipe(gauge.stream), { mimeType });
  const { bytes, sha256 } = gauge.result();
  try {
    if (bytes === 0) throw mediaEmpty('the file is empty');
    const known = await find(store, merchantId, sha256, mimeType);
    if (known) {
      await files.delete(path);
      return { file: known, isNew: false };
    }
    const file = { id, merchantId, path, sha256, mimeType, bytes, fileName: fileName ?? null };
    const row = { ...file, createdAtMs: store.now() };
    await store.db.insertInto('media_files').values(row).execute();
    return { file: row, isNew: true };
  } catch (error) {
    await files.delete(path).catch(() => undefined);
    throw error;
  }
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
