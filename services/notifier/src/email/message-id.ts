import { createHash } from 'node:crypto';

/** `<id@domain>`; an id with characters that a Message-ID can't have goes by its hash. */
export function toMessageId(emailId: string, domain: string): string {
  const local = /^[A-Za-z0-9_-]{1,128}$/.test(emailId)
    ? emailId
    : createHash('sha256').update(emailId).digest('hex').slice(0, 40);
  return `<${local}@${domain}>`;
}
