import { isCodedError } from '@switchyard/errors';
import { type FileStore, fileMissing } from '@switchyard/files';

/** Reads a stored file; undefined when there is none. Of one that is too long, a byte more than `maxBytes` is read. */
export type ReadFile = (
  path: string,
  options: { maxBytes: number; signal: AbortSignal },
) => Promise<Buffer | undefined>;

/** Makes the reader of a store. */
export function createReadFile(files: Pick<FileStore, 'get'>): ReadFile {
  return async (path, { maxBytes, signal }) => {
    try {
      const stream = await files.get(path);
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        signal.throwIfAborted();
        chunks.push(chunk);
        bytes += chunk.length;
        // Leaving the loop closes the file.
        if (bytes > maxBytes) break;
      }
      return Buffer.concat(chunks).subarray(0, maxBytes + 1);
    } catch (error) {
      if (isCodedError(error) && error.code === fileMissing.code) return undefined;
      throw error;
    }
  };
}
