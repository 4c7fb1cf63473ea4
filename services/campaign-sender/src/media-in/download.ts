import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FileStore } from '@switchyard/files';
import type { Selectable } from 'kysely';
import type { InboundMediaTable } from '../database/people-tables.ts';
import { type GraphMedia, MediaError, type MediaInfo } from './graph-media.ts';
import { limitOf, pathOf } from './read-media.ts';

/** A file in the store. */
export interface StoredFile {
  path: string;
  mimeType: string | null;
  bytes: number;
  sha256: string;
}

type MediaRow = Selectable<InboundMediaTable>;

/**
 * Brings one file from the provider to the store, checking size and digest as it passes. Its path is its own, so doing it twice
 * writes the same file twice.
 *
 * @throws MediaError, or an error of the file store.
 */
export async function download(
  { graph, files }: { graph: GraphMedia; files: FileStore },
  media: MediaRow,
  accessToken: string,
  signal: AbortSignal,
): Promise<StoredFile> {
  const { info, body } = await open(graph, media, accessToken, signal);
  const mimeType = info.mimeType ?? media.mimeType;
  const path = pathOf(media, mimeType);
  const hash = createHash('sha256');
  let bytes = 0;
  const most = limitOf(media.type);
  async function* measured() {
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > most) throw tooLarge(bytes, most);
        hash.update(chunk);
        yield chunk;
      }
    } catch (error) {
      throw error instanceof MediaError
        ? error
        : new MediaError('later', 'MEDIA_UNREACHABLE', 'the file broke off on its way', error);
    }
  }
  await files.put(path, Readable.from(measured(), { objectMode: false }), {
    ...(mimeType === null ? {} : { mimeType }),
    ...(info.bytes === null ? {} : { bytes: info.bytes }),
  });
  const sha256 = hash.digest('hex');
  const expected = info.sha256 ?? media.sha256;
  if (expected !== null && expected !== sha256) {
    await files.delete(path);
    throw new MediaError('later', 'MEDIA_CORRUPT', 'the file is not the one that was announced');
  }
  return { path, mimeType, bytes, sha256 };
}

/** An address that has run out meanwhile is asked for once more. */
async function open(
  graph: GraphMedia,
  { providerMediaId, type }: MediaRow,
  accessToken: string,
  signal: AbortSignal,
): Promise<{ info: MediaInfo; body: Readable }> {
  for (let look = 1; ; look += 1) {
    const info = await graph.lookUp(providerMediaId, accessToken, signal);
    const most = limitOf(type);
    if (info.bytes !== null && info.bytes > most) throw tooLarge(info.bytes, most);
    try {
      return { info, body: await graph.open(info.url, accessToken, signal) };
    } catch (error) {
      if (look === 2 || !(error instanceof MediaError) || error.code !== 'MEDIA_URL_EXPIRED') throw error;
    }
  }
}

function tooLarge(bytes: number, most: number): MediaError {
  return new MediaError(
    'refused',
    'MEDIA_TOO_LARGE',
    `the file has ${bytes} bytes, of which ${most} are taken`,
  );
}
