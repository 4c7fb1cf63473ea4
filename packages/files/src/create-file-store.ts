import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '@switchyard/config';
import { Disk } from 'flydrive';
import { FSDriver } from 'flydrive/drivers/fs';
import { fileMissing } from './errors.ts';
import { explainError } from './explain-error.ts';
import { checkPath } from './path.ts';
import { createS3Driver } from './s3-driver.ts';

/** What {@link createFileStore} needs: the values of `filesFields`, and the service's `DATA_DIR`. */
export interface FileStoreSettings {
  filesUrl?: string | undefined;
  dataDir: string;
  awsAccessKeyId?: string | undefined;
  awsSecretAccessKey?: string | undefined;
}

/** Files by path. What is at a path is whole: a file is there when `put` has resolved, and not before. */
export interface FileStore {
  /**
   * Writes a file; one that is there is replaced.
   *
   * @param options.bytes its length: S3 needs it of a stream.
   * @throws FILE_PATH_INVALID, FILES_AWAY, FILES_FULL; what the stream throws, and then nothing is at the path.
   */
  put(
    path: string,
    content: Readable | Uint8Array,
    options?: { mimeType?: string | undefined; bytes?: number | undefined },
  ): Promise<void>;
  /** Opens a file. @throws FILE_MISSING, FILE_PATH_INVALID, FILES_AWAY */
  get(path: string): Promise<Readable>;
  /** Deletes a file; one that is not there is deleted already. @throws FILE_PATH_INVALID, FILES_AWAY */
  delete(path: string): Promise<void>;
  /** Where it is, for logs. */
  readonly location: string;
}

/** Unfinished files are here; on S3 nothing is there before it is whole. */
const UNFINISHED = 'unfinished';

/**
 * Opens the file store. Nothing is read or written yet.
 *
 * @throws ConfigError naming FILES_URL or the key's variable.
 */
export async function createFileStore(settings: FileStoreSettings): Promise<FileStore> {
  const { filesUrl, dataDir } = settings;
  const url = filesUrl === undefined ? undefined : new URL(filesUrl);
  if (url?.protocol === 's3:') {
    const { driver, prefix, location } = await createS3Driver(url, settings);
    return wrap(new Disk(driver), { prefix, location, isAtomic: true });
  }
  const folder = url === undefined ? resolve(dataDir, 'files') : folderOf(filesUrl!, url);
  const driver = new FSDriver({ location: folder, visibility: 'private' });
  return wrap(new Disk(driver), { prefix: '', location: folder, isAtomic: false });
}

/** `file:/data/files`, `file:///data/files`, or `file:./files`, which the URL parser would make absolute. */
function folderOf(text: string, url: URL): string {
  const path = text.slice('file:'.length);
  if (!path.startsWith('/')) return resolve(path);
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new ConfigError('FILES_URL', `is no path of this machine: ${(error as Error).message}`);
  }
}

function wrap(
  disk: Disk,
  { prefix, location, isAtomic }: { prefix: string; location: string; isAtomic: boolean },
): FileStore {
  const keyOf = (path: string) => prefix + checkPath(path);

  async function write(key: string, content: Readable | Uint8Array, contentType: string, bytes?: number) {
    if (!(content instanceof Readable)) return await disk.put(key, content, { contentType });
    await disk.putStream(key, content, {
      contentType,
      ...(bytes === undefined ? {} : { contentLength: bytes }),
    });
  }

  return {
    location,
    async put(path, content, { mimeType = 'application/octet-stream', bytes } = {}) {
      const key = keyOf(path);
      // The reason a stream broke is its own, not the store's.
      let broken: unknown;
      if (content instanceof Readable) content.once('error', (error) => (broken = error));
      const target = isAtomic ? key : `${UNFINISHED}/${randomUUID()}`;
      try {
        await write(target, content, mimeType, bytes);
        if (target !== key) await disk.move(target, key);
      } catch (error) {
        if (target !== key) await disk.delete(target).catch(() => {});
        throw broken ?? explainError(error, 'write a file');
      }
    },
    async get(path) {
      try {
        const stream = await disk.getStream(keyOf(path));
        // A file's stream finds out that there is no file only when it opens.
        if (!isAtomic)
          await new Promise<void>((opened, failed) => {
            stream.once('open', () => opened()).once('error', failed);
          });
        return stream;
      } catch (error) {
        if (isMissing(error)) throw fileMissing('there is no file at this path', { cause: error });
        throw explainError(error, 'read a file');
      }
    },
    async delete(path) {
      try {
        await disk.delete(keyOf(path));
      } catch (error) {
        if (!isMissing(error)) throw explainError(error, 'delete a file');
      }
    },
  };
}

function isMissing(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code, name } = each as Error & { code?: string };
    if (code === 'ENOENT' || name === 'NoSuchKey' || name === 'NotFound') return true;
  }
  return false;
}
