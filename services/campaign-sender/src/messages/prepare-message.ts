import type { Store } from '../database/scope.ts';
import type { OutgoingMedia } from '../media-out/outgoing-media.ts';
import type { Sender } from '../senders/sender-directory.ts';
import { type Decision, decideBeforeCall } from '../sending/decide-before-call.ts';
import { addressFor, decideOnTemplate } from '../templates/decide-on-template.ts';
import type { TemplateDirectory } from '../templates/template-directory.ts';
import { fallBack } from './fall-back.ts';
import type { Candidate } from './message-candidate.ts';
import type { WaitReason } from './wait-reason.ts';

/** A message made ready for its call, or why it is not called for now. */
export type Prepared =
  /** `message` is what goes out: with the provider's ids of its files, to the address that it needs. */
  | { kind: 'go'; message: Candidate }
  | { kind: 'leave' }
  | { kind: 'wait'; delayMs: number; reason: WaitReason }
  | Extract<Decision, { kind: 'settle' }>;

/** What a message needs beyond its row. */
export interface Preparation {
  /** Turns it into its template where the window is closed, looks the template up, and uploads its files. */
  prepare(candidate: Candidate, sender: Sender): Promise<Prepared>;
  /** Told of a refusal: files that the provider could not use are uploaded once more by the next try. */
  refused(candidate: Candidate, sender: Sender, code: string): Promise<void>;
}

/** How long a message rests whose template is held. Its release wakes it; this is for a release that was just missed. */
const HELD_MS = 5 * 60_000;

/** Makes the preparation of messages. */
export function createPreparation(parts: {
  store: Store;
  templates: Pick<TemplateDirectory, 'find'>;
  media: OutgoingMedia;
}): Preparation {
  const { store, templates, media } = parts;
  return {
    async prepare(candidate, sender) {
      const { kind } = decideBeforeCall(candidate, store.now());
      const message = kind === 'fall-back' ? await fallBack(store, candidate) : candidate;
      if (!message) return { kind: 'leave' };
      const { name, language } = message.content as { name?: unknown; language?: { code?: unknown } };
      const template =
        message.type === 'template' && typeof name === 'string' && typeof language?.code === 'string'
          ? await templates.find(message.merchantId, sender.wabaId, name, language.code)
          : undefined;
      const decision = decideOnTemplate(message, template);
      if (decision.kind === 'hold') return { kind: 'wait', delayMs: HELD_MS, reason: 'TEMPLATE_HELD' };
      if (decision.kind === 'settle') return decision;
      const resolved = await media.resolve(message, sender);
      if (resolved.kind === 'wait') return { ...resolved, reason: 'FILE_NOT_READY' };
      if (resolved.kind !== 'ready') return resolved;
      return { kind: 'go', message: addressFor({ ...message, content: resolved.content }, template) };
    },
    refused: (candidate, sender, code) => media.refused(candidate, sender, code),
  };
}
