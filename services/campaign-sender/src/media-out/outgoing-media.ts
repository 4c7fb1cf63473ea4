import { setTimeout as pause } from 'node:timers/promises';
import { isCodedError } from '@switchyard/errors';
import type { Store } from '../database/scope.ts';
import type { ContentProblem } from '../messages/content/problem.ts';
import type { Candidate } from '../messages/message-candidate.ts';
import type { Sender } from '../senders/sender-directory.ts';
import type { Decision } from '../sending/decide-before-call.ts';
import { ruleForCode } from '../sending/provider-errors.ts';
import { needsReaction, reactToError } from '../sending/react-to-error.ts';
import { isUnusableFile } from './drop-uploads.ts';
import type { MediaFile, MediaFiles } from './media-files.ts';
import { kindProblem } from './media-kinds.ts';
import { findMedia, type MediaReference, replaceMedia } from './media-references.ts';
import type { UploadEnd, Uploads } from './uploads.ts';

/** Content with the provider's ids of its files, or why it can't go now. */
export type ResolvedMedia =
  | { kind: 'ready'; content: Record<string, unknown> }
  | { kind: 'wait'; delayMs: number }
  | Extract<Decision, { kind: 'settle' }>;

/** Files of outgoing messages. */
export interface OutgoingMedia {
  /** Checks that the files which content names exist and can be sent as what they are to be. */
  check(
    merchantId: string,
    type: string,
    content: Record<string, unknown>,
  ): Promise<ContentProblem | undefined>;
  /** Uploads what the number does not have at the provider, and puts the provider's ids in. */
  resolve(message: Candidate, sender: Sender): Promise<ResolvedMedia>;
  /** A file that the provider could not use is uploaded once more. */
  refused(message: Candidate, sender: Sender, code: string): Promise<void>;
}

const AWAY_MS = 15_000;
const UPLOAD_PATIENCE_MS = 20_000;
const REFUSED_MS = 60_000;
/** Refusals of an upload in a row; then its messages fail. */
const REFUSALS_MOST = 3;
const REFUSALS_REMEMBERED = 10_000;

/** Makes the handling of files. @param parts.onReaction told when an upload's refusal has paused a number or an account. */
export function createOutgoingMedia(parts: {
  store: Store;
  files: MediaFiles;
  uploads: Uploads;
  onReaction(): void;
}): OutgoingMedia {
  const { store, files, uploads, onReaction } = parts;
  const refusals = new Map<string, number>();

  async function upload(
    file: MediaFile,
    sender: Sender,
  ): Promise<ResolvedMedia | { kind: 'id'; id: string }> {
    let end: UploadEnd;
    try {
      const upload = uploads.idOf(file, sender);
      // A large file goes on uploading while its messages wait elsewhere: a worker is not for waiting.
      const late = await Promise.race([upload, pause(UPLOAD_PATIENCE_MS, undefined, { ref: false })]);
      if (!late) return { kind: 'wait', delayMs: AWAY_MS };
      end = late;
    } catch (error) {
      if (isCodedError(error) && error.outcome === 'later')
        return { kind: 'wait', delayMs: error.delayMs ?? AWAY_MS };
      if (isCodedError(error) && error.code === 'FILE_MISSING') return fileGone;
      throw error;
    }
    if (end.kind === 'away') return { kind: 'wait', delayMs: AWAY_MS };
    const key = `${sender.id}:${file.id}`;
    if (end.kind === 'refused') return await refuse(key, sender, end);
    refusals.delete(key);
    return { kind: 'id', id: end.mediaId };
  }

  async function refuse(key: string, sender: Sender, { code, details }: { code: number; details: string }) {
    const rule = ruleForCode(code);
    if (needsReaction(rule)) {
      const { merchantId, id: senderId, wabaId } = sender;
      const subject = { merchantId, contactId: null, senderId, wabaId, template: undefined };
      await store.inScope((scope) =>
        reactToError(scope, store.dialect, rule, String(code), subject, store.now()),
      );
      onReaction();
      return { kind: 'wait', delayMs: REFUSED_MS } as const;
    }
    const count = (refusals.get(key) ?? 0) + 1;
    if (refusals.size > REFUSALS_REMEMBERED) refusals.clear();
    refusals.set(key, count);
    if (rule.action !== 'fail' && count < REFUSALS_MOST)
      return { kind: 'wait', delayMs: REFUSED_MS } as const;
    return {
      kind: 'settle',
      state: 'failed',
      code: String(code),
      reason: `the file could not be uploaded: ${details}`.trim(),
    } as const;
  }

  async function filesOf(merchantId: string, references: readonly MediaReference[]): Promise<MediaFile[]> {
    const found = await Promise.all(references.map(({ mediaId }) => files.find(merchantId, mediaId)));
    return found.filter((file) => file !== undefined);
  }

  return {
    async check(merchantId, type, content) {
      for (const { field, kind, mediaId } of findMedia(type, content)) {
        const file = await files.find(merchantId, mediaId);
        const message = file ? kindProblem(kind, file) : 'is no file of this merchant';
        if (message !== undefined) return { field, message };
      }
      return undefined;
    },
    async resolve(message, sender) {
      const references = findMedia(message.type, message.content);
      if (references.length === 0) return { kind: 'ready', content: message.content };
      const found = await filesOf(message.merchantId, references);
      if (found.length < references.length) return fileGone;
      const ids = new Map<string, string>();
      for (const file of found) {
        const end = await upload(file, sender);
        if (end.kind !== 'id') return end;
        ids.set(file.id, end.id);
      }
      return { kind: 'ready', content: replaceMedia(message.content, ids) };
    },
    async refused(message, sender, code) {
      // Once: a file that is refused again is not mended by another upload.
      if (!isUnusableFile(code) || message.failures > 0) return;
      // What went out named the provider's ids; the row still names ours.
      const row = await store.db
        .selectFrom('messages')
        .select(['type', 'content'])
        .where('id', '=', message.id)
        .executeTakeFirst();
      if (!row) return;
      const references = findMedia(row.type, JSON.parse(row.content) as Record<string, unknown>);
      for (const file of await filesOf(message.merchantId, references)) await uploads.drop(file, sender.id);
    },
  };
}

const fileGone = {
  kind: 'settle',
  state: 'failed',
  code: 'MEDIA_UNKNOWN',
  reason: 'a file of this message is not there any more',
} as const;
