import type { OutgoingMedia } from '../media-out/outgoing-media.ts';
import type { Sender } from '../senders/sender-directory.ts';
import { judgeTemplate } from '../templates/judge-template.ts';
import type { TemplateDirectory } from '../templates/template-directory.ts';
import type { TemplateFacts } from '../templates/template-facts.ts';
import type { OutgoingMessage, OutgoingProblem } from './outgoing-message.ts';

/** Checks of a message that need more than the message: its template and its files. */
export interface MessageCheck {
  /** What is wrong with it, before anything is known of its recipient. */
  check(message: OutgoingMessage, sender: Sender | undefined): Promise<OutgoingProblem | undefined>;
  /** The template that it uses, as far as it is known. */
  templateOf(
    message: Pick<OutgoingMessage, 'merchantId' | 'type' | 'content'>,
    sender: Sender | undefined,
  ): Promise<TemplateFacts | undefined>;
}

/** So old a list no longer tells that a template does not exist. */
const LIST_COUNTS_MS = 24 * 3_600_000;

/**
 * Makes the checks. They answer from memory but for a file or an account that was not asked for lately.
 *
 * @param parts.onUnknown told when an account's list does not have a template, so that the list is read again.
 */
export function createMessageCheck(parts: {
  templates: Pick<TemplateDirectory, 'find'>;
  media: Pick<OutgoingMedia, 'check'>;
  now(): number;
  onUnknown(account: { merchantId: string; wabaId: string }): void;
}): MessageCheck {
  const { templates, media, now, onUnknown } = parts;

  async function check(
    field: string,
    type: string,
    content: Record<string, unknown>,
    { merchantId, to }: OutgoingMessage,
    sender: Sender | undefined,
  ): Promise<OutgoingProblem | undefined> {
    const file = await media.check(merchantId, type, content);
    if (file) return { code: 'MEDIA_INVALID', field: `${field}.${file.field}`, message: file.message };
    if (type !== 'template' || !sender) return undefined;
    const { wabaId, templatesReadAtMs } = sender;
    const found = judgeTemplate(await templateOf({ merchantId, type, content }, sender), content, {
      isListed: templatesReadAtMs !== null && now() - templatesReadAtMs < LIST_COUNTS_MS,
      // Whether the person has a phone number is known only once the contact is found.
      toPhone: to.kind === 'phone' || to.kind === 'user_id',
    });
    if (!found) return undefined;
    if (found.code === 'TEMPLATE_UNKNOWN' && wabaId !== null) onUnknown({ merchantId, wabaId });
    return { code: found.code, field: `${field}.${found.field}`, message: found.message };
  }

  async function templateOf(
    { merchantId, type, content }: { merchantId: string; type: string; content: Record<string, unknown> },
    sender: Sender | undefined,
  ) {
    if (type !== 'template' || !sender) return undefined;
    const { name, language } = content as { name: string; language: { code: string } };
    return await templates.find(merchantId, sender.wabaId, name, language.code);
  }

  return {
    templateOf,
    check: async (message, sender) =>
      (await check('content', message.type, message.content, message, sender)) ??
      (message.templateFallback === undefined
        ? undefined
        : await check('templateFallback', 'template', message.templateFallback, message, sender)),
  };
}
