import { createTransport } from 'nodemailer';

/** An email, ready to go. */
export interface OutgoingEmail {
  /** The same at every attempt, so that a repeated mail can be told from a new one. */
  messageId: string;
  to: readonly string[];
  subject: string;
  text?: string | undefined;
  html?: string | undefined;
  replyTo?: string | undefined;
}

/** How one attempt ended. */
export type MailResult =
  /** The server took it; of several addressees, perhaps not for all. */
  | { kind: 'sent'; refused: string[]; answer: string }
  /** The server said no, and will say so again. */
  | { kind: 'refused'; reason: string }
  /** It may go another time. */
  | { kind: 'deferred'; reason: string }
  /** Nobody was there to take it, or not us: nothing was handed over. */
  | { kind: 'away'; reason: string };

/** Hands emails to an SMTP server. */
export interface Mailer {
  /** Never throws but when the signal was aborted. */
  send(email: OutgoingEmail, signal: AbortSignal): Promise<MailResult>;
  close(): void;
}

/** Settings of {@link createMailer}. */
export interface MailerOptions {
  /** `smtp://user:password@host:587`; `smtps://` for TLS from the first byte. STARTTLS is used where it is offered. */
  url: string;
  /** `Name <address>` or an address. */
  from: string;
  timeoutMs: number;
  connections: number;
}

/** Makes a mailer with a few connections that stay open. */
export function createMailer({ url, from, timeoutMs, connections }: MailerOptions): Mailer {
  const transport = createTransport(
    {
      url,
      pool: true,
      maxConnections: connections,
      // A mail whose connection is lost is our job's to try again: it counts attempts.
      maxRequeues: 0,
      connectionTimeout: Math.min(timeoutMs, 10_000),
      greetingTimeout: Math.min(timeoutMs, 10_000),
      socketTimeout: timeoutMs,
      // What merchants write must not read files or addresses from here.
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  );
  return {
    async send({ to, ...email }, signal) {
      try {
        const sent = await transport.sendMail({ ...email, to: [...to], signal });
        return { kind: 'sent', refused: sent.rejected.map(String), answer: sent.response };
      } catch (error) {
        signal.throwIfAborted();
        return judge(error as SmtpError);
      }
    },
    close: () => transport.close(),
  };
}

interface SmtpError extends Error {
  code?: string;
  responseCode?: number;
  command?: string;
}

/** The transport has no codes of its own for these; in all of them nothing of the mail has been said. */
const neverConnected =
  /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|EADDRNOTAVAIL|^Connection timeout|^Greeting never received/;

function judge({ code = 'ERROR', responseCode, command = '', message }: SmtpError): MailResult {
  const reason = `${code}: ${message}`.slice(0, 500);
  // A wrong password is the operators' to mend; the mail is as good as before.
  if (code === 'EAUTH' || code === 'ENOAUTH' || code === 'EOAUTH2' || command.startsWith('AUTH'))
    return { kind: 'away', reason };
  if (code === 'EDNS' || code === 'ETLS' || code === 'EPROXY' || neverConnected.test(message))
    return { kind: 'away', reason };
  if (responseCode !== undefined && responseCode >= 500) return { kind: 'refused', reason };
  return { kind: 'deferred', reason };
}
