import { emailInvalid } from '../errors.ts';

/** An addr-spec (RFC 5321) without the quoted and commented forms that only attackers and test suites use. */
const mailbox =
  /^[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,255}$)[\p{L}\p{N}](?:[\p{L}\p{N}.-]*[\p{L}\p{N}])?$/u;

/** Whether a text is one mailbox and nothing else: no name, no second address, no line break. */
export function isMailbox(text: string): boolean {
  return text.length <= 254 && mailbox.test(text) && !text.includes('..');
}

/**
 * Checks what becomes headers of an email. Whoever could put a line break into one could write any header, or another mail.
 *
 * @throws EMAIL_INVALID naming the field.
 */
export function checkEmail(email: {
  to: readonly string[];
  replyTo?: string | undefined;
  subject: string;
}): void {
  const refuse = (field: string, problem: string): never => {
    throw emailInvalid(`${field} ${problem}`, { details: { field } });
  };
  for (const [at, address] of email.to.entries())
    if (!isMailbox(address)) refuse(`to[${at}]`, 'is not an email address');
  if (email.replyTo !== undefined && !isMailbox(email.replyTo)) refuse('replyTo', 'is not an email address');
  if (hasControlCharacters(email.subject)) refuse('subject', 'must be one line');
}

function hasControlCharacters(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
