import type { Readable } from 'node:stream';
import { upsert } from '@switchyard/database';
import type { Store } from '../database/scope.ts';
import type { GraphAnswer, GraphApi } from '../graph/graph-api.ts';
import type { Sender } from '../senders/sender-directory.ts';
import type { MediaFile } from './media-files.ts';

/** Where files are read from. */
export interface FileSource {
  get(path: string): Promise<Readable>;
}

/** The provider's id of a file for a number, or how asking for one ended. */
export type UploadEnd = { kind: 'ok'; mediaId: string } | Exclude<GraphAnswer, { kind: 'ok' }>;

/** Files at the provider: each is uploaded once per number and used again until its id expires. */
export interface Uploads {
  /**
   * The file's id for a number; uploads it where there is none. At one time a process uploads a file for a number once.
   *
   * @throws what the file store throws.
   */
  idOf(file: MediaFile, sender: Sender): Promise<UploadEnd>;
  /** Forgets an id that the provider could not use. */
  drop(file: Pick<MediaFile, 'sha256' | 'mimeType'>, senderId: string): Promise<void>;
  /** Deletes rows of ids that have expired. */
  purge(): Promise<void>;
}

const DAY_MS = 24 * 3_600_000;
/** The provider keeps a file 30 days; a message must still find it when it is sent. */
const LIFETIME_MS = 29 * DAY_MS;
/** How long a process goes on using an id that it knows, though another has dropped it. */
export const REMEMBERED_MS = 10_000;
const REMEMBERED_MOST = 20_000;

/** Makes the store of uploads. */
export function createUploads(parts: {
  store: Store;
  graph: Pick<GraphApi, 'upload'>;
  files: FileSource;
}): Uploads {
  const { store, graph, files } = parts;
  const { db, dialect } = store;
  const remembered = new Map<string, { end: Promise<UploadEnd>; untilMs: number }>();

  async function find({ sha256, mimeType }: MediaFile, senderId: string): Promise<string | undefined> {
    const row = await db
      .selectFrom('media_uploads')
      .select('mediaId')
      .where('senderId', '=', senderId)
      .where('sha256', '=', sha256)
      .where('mimeType', '=', mimeType)
      .where('expiresAtMs', '>', store.now())
      .executeTakeFirst();
    return row?.mediaId;
  }

  async function findOrUpload(file: MediaFile, sender: Sender): Promise<UploadEnd> {
    const known = await find(file, sender.id);
    if (known !== undefined) return { kind: 'ok', mediaId: known };
    const { sha256, mimeType, bytes } = file;
    const content = await files.get(file.path);
    const path = `${encodeURIComponent(sender.phoneNumberId)}/media`;
    const answer = await graph.upload(path, sender.accessToken!, {
      fields: { messaging_product: 'whatsapp', type: mimeType },
      fileName: file.fileName ?? file.id,
      ...{ mimeType, bytes, content },
    });
    if (answer.kind !== 'ok') return answer;
    const { id } = answer.body;
    if (typeof id !== 'string' && typeof id !== 'number')
      return { kind: 'away', cause: 'the answer to an upload names no id' };
    const uploadedAtMs = store.now();
    const row = { senderId: sender.id, sha256, mimeType, mediaId: String(id), uploadedAtMs };
    await upsert(
      db,
      dialect,
      'media_uploads',
      [{ ...row, expiresAtMs: uploadedAtMs + LIFETIME_MS }],
      ['senderId', 'sha256', 'mimeType'],
      ['mediaId', 'uploadedAtMs', 'expiresAtMs'],
    );
    return { kind: 'ok', mediaId: row.mediaId };
  }

  return {
    idOf(file, sender) {
      const key = keyOf(file, sender.id);
      const known = remembered.get(key);
      if (known && known.untilMs > performance.now()) return known.end;
      const end = findOrUpload(file, sender);
      const entry = { end, untilMs: Number.POSITIVE_INFINITY };
      remembered.delete(key);
      remembered.set(key, entry);
      if (remembered.size > REMEMBERED_MOST) remembered.delete(remembered.keys().next().value!);
      const forget = () => {
        if (remembered.get(key) === entry) remembered.delete(key);
      };
      end.then(({ kind }) => {
        entry.untilMs = performance.now() + REMEMBERED_MS;
        if (kind !== 'ok') forget();
      }, forget);
      return end;
    },
    async drop(file, senderId) {
      remembered.delete(keyOf(file, senderId));
      await db
        .deleteFrom('media_uploads')
        .where('senderId', '=', senderId)
        .where('sha256', '=', file.sha256)
        .where('mimeType', '=', file.mimeType)
        .execute();
    },
    async purge() {
      await db.deleteFrom('media_uploads').where('expiresAtMs', '<', store.now()).execute();
    },
  };
}

function keyOf({ sha256, mimeType }: Pick<MediaFile, 'sha256' | 'mimeType'>, senderId: string): string {
  return `${senderId}\n${sha256}\n${mimeType}`;
}
