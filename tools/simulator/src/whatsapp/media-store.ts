import { createHash } from 'node:crypto';
import { newObjectId } from './identifiers.ts';

/** A stored media object. */
export interface StoredMedia {
  readonly id: string;
  readonly mimeType: string;
  readonly fileName: string | undefined;
  readonly sha256: string;
  readonly bytes: Buffer;
  /** The business number that uploaded it, which alone may send it; undefined for what people sent. */
  readonly phoneNumberId: string | undefined;
}

/** Media uploaded by the business or sent by people. */
export interface MediaStore {
  put(bytes: Buffer, mimeType: string, fileName?: string, phoneNumberId?: string): StoredMedia;
  /** Uploads by business numbers so far. */
  readonly uploads: number;
  get(id: string): StoredMedia | undefined;
  /** A token for a download URL of this object. */
  issueUrl(id: string, lifetimeMs: number): string;
  /** The object that a token opens, while it lives. */
  open(token: string): StoredMedia | undefined;
  remove(id: string): boolean;
  clear(): void;
}

/**
 * Creates a {@link MediaStore} in memory.
 *
 * @param maxBytes above this the oldest objects are forgotten.
 */
export function createMediaStore(maxBytes: number, now: () => number = Date.now): MediaStore {
  const objects = new Map<string, StoredMedia>();
  const urls = new Map<string, { id: string; untilMs: number }>();
  let storedBytes = 0;
  let uploads = 0;

  function remove(id: string): boolean {
    const stored = objects.get(id);
    if (!stored) return false;
    storedBytes -= stored.bytes.length;
    return objects.delete(id);
  }

  return {
    get uploads() {
      return uploads;
    },
    put(bytes, mimeType, fileName, phoneNumberId) {
      if (phoneNumberId !== undefined) uploads += 1;
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const stored = { id: newObjectId(), mimeType, fileName, sha256, bytes, phoneNumberId };
      objects.set(stored.id, stored);
      storedBytes += bytes.length;
      for (const id of objects.keys()) {
        if (storedBytes <= maxBytes || id === stored.id) break;
        remove(id);
      }
      return stored;
    },
    get: (id) => objects.get(id),
    issueUrl(id, lifetimeMs) {
      const token = newObjectId();
      urls.set(token, { id, untilMs: now() + lifetimeMs });
      for (const [key, { untilMs }] of urls) {
        if (untilMs > now() && urls.size <= 10_000) break;
        urls.delete(key);
      }
      return token;
    },
    open(token) {
      const url = urls.get(token);
      return url && url.untilMs > now() ? objects.get(url.id) : undefined;
    },
    remove,
    clear() {
      objects.clear();
      urls.clear();
      storedBytes = 0;
      uploads = 0;
    },
  };
}
