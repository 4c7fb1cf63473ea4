import type { Executor } from '../database/scope.ts';

/** A file as messages need it. */
export interface MediaFile {
  id: string;
  merchantId: string;
  path: string;
  sha256: string;
  mimeType: string;
  bytes: number;
  fileName: string | null;
}

/** Facts of files, which never change, in memory. */
export interface MediaFiles {
  /** Also a file that came in with a message, so that it can be passed on. @returns undefined for another merchant's. */
  find(merchantId: string, id: string): Promise<MediaFile | undefined>;
  forget(id: string): void;
}

const REMEMBERED_MOST = 5000;
const REMEMBERED_MS = 10_000;

/** Makes the look-up of files; a deleted one is noticed within seconds. */
export function createMediaFiles(db: Executor): MediaFiles {
  const remembered = new Map<string, { file: Promise<MediaFile | undefined>; untilMs: number }>();

  async function load(id: string): Promise<MediaFile | undefined> {
    const own = await db.selectFrom('media_files').selectAll().where('id', '=', id).executeTakeFirst();
    if (own) return own;
    const inbound = await db
      .selectFrom('inbound_media')
      .select(['id', 'merchantId', 'path', 'sha256', 'mimeType', 'bytes', 'fileName'])
      .where('id', '=', id)
      .where('state', '=', 'stored')
      .executeTakeFirst();
    if (!inbound) return undefined;
    const { path, sha256, mimeType, bytes } = inbound;
    if (path === null || sha256 === null || mimeType === null || bytes === null) return undefined;
    return { ...inbound, path, sha256, mimeType, bytes };
  }

  return {
    async find(merchantId, id) {
      const known = remembered.get(id);
      let file = known?.file;
      if (!file || known!.untilMs < performance.now()) {
        file = load(id);
        remembered.delete(id);
        remembered.set(id, { file, untilMs: performance.now() + REMEMBERED_MS });
        file.catch(() => remembered.delete(id));
        if (remembered.size > REMEMBERED_MOST) remembered.delete(remembered.keys().next().value!);
      }
      const found = await file;
      return found?.merchantId === merchantId ? found : undefined;
    },
    forget: (id) => void remembered.delete(id),
  };
}
