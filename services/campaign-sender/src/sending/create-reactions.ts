import type { Logger } from 'pino';
import type { Store } from '../database/scope.ts';
import type { Candidate } from '../messages/message-candidate.ts';
import type { AdmissionControl } from '../pacing/create-admission.ts';
import type { Sender, SenderDirectory } from '../senders/sender-directory.ts';
import type { TemplateDirectory } from '../templates/template-directory.ts';
import type { CallResult } from './cloud-api.ts';
import { holdMsOf } from './decide-after-call.ts';
import { isProviderTrouble, type ProviderErrorRule } from './provider-errors.ts';
import { needsReaction, reactToError, templateOf } from './react-to-error.ts';

/** What the end of a call means beyond its message. */
export interface Reactions {
  /** Opens and closes the number's circuit. */
  toCall(sender: Sender, result: CallResult, isProbe: boolean): Promise<void>;
  /** Does what the error table says: slow down, wait, pause, hold, suppress. */
  toError(candidate: Candidate, sender: Sender, rule: ProviderErrorRule, code: string): Promise<void>;
  /** Does those parts of it that are kept in Redis: slow down, wait. */
  toPace(address: string, sender: Sender, rule: ProviderErrorRule): Promise<void>;
}

/** What reactions act on. */
export interface ReactionParts {
  store: Store;
  senders: Pick<SenderDirectory, 'forget'>;
  templates: Pick<TemplateDirectory, 'forget'>;
  admission: AdmissionControl;
  logger: Logger;
}

/** Makes the reactions. */
export function createReactions({ store, senders, templates, admission, logger }: ReactionParts): Reactions {
  async function holdAccount(merchantId: string, wabaId: string | null, senderId: string, pauseMs: number) {
    const numbers =
      wabaId === null
        ? [{ id: senderId }]
        : await store.db
            .selectFrom('senders')
            .select('id')
            .where('merchantId', '=', merchantId)
            .where('wabaId', '=', wabaId)
            .execute();
    await Promise.all(numbers.map(({ id }) => admission.hold(id, pauseMs)));
  }

  async function toPace(address: string, sender: Sender, rule: ProviderErrorRule): Promise<void> {
    if (rule.action === 'slow-number') await admission.slowDown(sender.id);
    if (rule.action === 'delay-recipient') await admission.delayRecipient(sender.id, address);
    const holdMs = holdMsOf(rule);
    if (rule.action === 'slow-app') await admission.holdApp(holdMs);
    else if (rule.action === 'slow-account')
      await holdAccount(sender.merchantId, sender.wabaId, sender.id, holdMs);
    else if (holdMs > 0) await admission.hold(sender.id, holdMs);
  }

  return {
    toPace,
    async toCall(sender, result, isProbe) {
      try {
        // Nobody has asked the provider: neither well nor unwell.
        if (isProbe && result.kind === 'not-sent' && result.isOurs) await admission.giveBackProbe(sender.id);
        else if (isTrouble(result)) {
          const opened = await admission.reportTrouble(sender.id, isProbe);
          if (opened)
            logger.warn({ senderId: sender.id, end: result.kind }, 'the circuit of a number is open');
        } else if (isProbe) {
          await admission.clear(sender.id);
          logger.info({ senderId: sender.id }, 'the circuit of a number is closed again');
        }
      } catch (error) {
        // The message's end is written; the next call tells of the trouble again.
        logger.warn({ err: error, senderId: sender.id }, 'the state of a number could not be shared');
      }
    },
    async toError(candidate, sender, rule, code) {
      const { merchantId, contactId, address } = candidate;
      await toPace(address, sender, rule);
      if (!needsReaction(rule)) return;
      const template = templateOf(candidate);
      await store.inScope((scope) =>
        reactToError(
          scope,
          store.dialect,
          rule,
          code,
          { merchantId, contactId, senderId: sender.id, wabaId: sender.wabaId, template },
          store.now(),
        ),
      );
      senders.forget();
      templates.forget();
    },
  };
}

/** Whether a call says that the provider, rather than the message or this process, is in trouble. */
function isTrouble(result: CallResult): boolean {
  if (result.kind === 'not-sent') return !result.isOurs;
  if (result.kind === 'unknown') return true;
  return result.kind === 'rejected' && isProviderTrouble(result.code);
}
