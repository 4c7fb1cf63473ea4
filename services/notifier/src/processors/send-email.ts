import type { Processor } from '@switchyard/jobs';
import { checkEmail } from '../email/check-address.ts';
import { type EmailRequest, type Emails, toRequest } from '../email/create-emails.ts';
import type { Mailer } from '../email/create-mailer.ts';
import { toMessageId } from '../email/message-id.ts';
import { emailDeferred, emailRefused, emailsNotConfigured, smtpAway } from '../errors.ts';

/** How an attempt ended is told to the observer of a metric. */
export type CountEmail = (outcome: 'sent' | 'refused' | 'deferred' | 'away') => void;

/**
 * Makes one attempt at one email: at least once, under a constant Message-ID.
 *
 * Dies before the server has taken it: the job is tried again. After that, before the row: it goes out again, and is the same mail to
 * whoever looks at Message-ID. After the row: the job finds it sent.
 */
export function createSendEmail(deps: {
  emails: Emails;
  /** Undefined where no SMTP server is configured. */
  mailer: Mailer | undefined;
  /** What Message-IDs end in. */
  domain: string;
  count: CountEmail;
}): Processor<EmailRequest> {
  const { emails, mailer, domain, count } = deps;
  return async (request, { job, signal, logger }) => {
    const email = await emails.take(request);
    if (!email) return;
    const giveUp = (error: string) => emails.recordAttempt(email.id, { state: 'failed', error });
    try {
      checkEmail(request);
    } catch (error) {
      await giveUp((error as Error).message);
      throw error;
    }
    if (!mailer) {
      await giveUp('no SMTP server is configured');
      throw emailsNotConfigured('no SMTP server is configured: set SMTP_URL and EMAIL_FROM');
    }
    const { to, subject, text, html, replyTo } = toRequest(email);
    const messageId = toMessageId(email.id, domain);
    const result = await mailer.send({ messageId, to, subject, text, html, replyTo }, signal);
    count(result.kind);
    const details = { emailId: email.id };
    switch (result.kind) {
      case 'sent': {
        const { refused } = result;
        const error = refused.length > 0 ? `refused for ${refused.join(', ')}`.slice(0, 500) : null;
        if (error !== null)
          logger.warn({ emailId: email.id, refused: refused.length }, 'some addressees were refused');
        await emails.recordAttempt(email.id, { state: 'sent', error });
        return;
      }
      case 'refused':
        await giveUp(result.reason);
        throw emailRefused(result.reason, { details });
      case 'deferred': {
        const isLast = job.attempt >= job.maxAttempts;
        await emails.recordAttempt(email.id, { state: isLast ? 'failed' : 'pending', error: result.reason });
        throw emailDeferred(result.reason, { details });
      }
      case 'away':
        logger.error({ reason: result.reason }, 'the SMTP server is away, or does not let us in');
        throw smtpAway(result.reason, { details });
    }
  };
}
