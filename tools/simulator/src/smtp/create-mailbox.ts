import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerError } from 'smtp-server';
import type { Static } from 'typebox';
import { createFaultList, type FaultList, faultSchema } from '../fault-list.ts';
import type { Random } from '../random.ts';
import { createRing } from '../ring.ts';
import { type ReadMail, readMail } from './read-mail.ts';

/**
 * What may go wrong with a mail: `refuse` (550), `defer` (451), `hang` (no reply to its data), `cut-after` (taken, and the connection
 * ends before the reply). `match` looks at the recipients.
 */
export const MailFaultInput = faultSchema(['refuse', 'defer', 'hang', 'cut-after'], {});
export type MailFault = Omit<Static<typeof MailFaultInput>, 'kind'> & {
  kind: 'refuse' | 'defer' | 'hang' | 'cut-after';
};

/** One mail that was taken. */
export interface ReceivedMail extends ReadMail {
  sequence: number;
  atMs: number;
  from: string;
  to: string[];
  raw: string;
}

/** An SMTP server that keeps what it is sent. */
export interface Mailbox {
  /** `smtp://host:port`. */
  readonly url: string;
  readonly faults: FaultList<MailFault>;
  /** The kept mails (1,000), oldest first. */
  list(filter?: { to?: string | undefined; after?: number | undefined }): ReceivedMail[];
  readonly total: number;
  clear(): void;
  close(): Promise<void>;
}

const MAX_MAIL_BYTES = 10 * 1024 * 1024;
const KEPT = 1000;

/**
 * Starts a mailbox for everybody.
 *
 * @throws what listening throws.
 */
export async function createMailbox(options: {
  host: string;
  port: number;
  random: Random;
}): Promise<Mailbox> {
  const { host, port, random } = options;
  const mails = createRing<ReceivedMail>(KEPT);
  const faults = createFaultList<MailFault>(random);
  const server = new SMTPServer({
    authOptional: true,
    // Any name and password will do: it is a mailbox for everybody.
    onAuth: (auth, _session, callback) => callback(null, { user: auth.username ?? 'anybody' }),
    allowInsecureAuth: true,
    hideSTARTTLS: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    size: MAX_MAIL_BYTES,
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      let bytes = 0;
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= MAX_MAIL_BYTES) chunks.push(chunk);
      });
      stream.on('end', () => {
        if (bytes > MAX_MAIL_BYTES) return callback(reply(552, 'the mail is too large'));
        const to = session.envelope.rcptTo.map(({ address }) => address);
        const fault = faults.strike(to.join(' '));
        if (fault?.kind === 'hang') return;
        if (fault?.kind === 'refuse') return callback(reply(550, 'no such mailbox'));
        if (fault?.kind === 'defer') return callback(reply(451, 'try again later'));
        const raw = Buffer.concat(chunks).toString('utf8');
        const from = session.envelope.mailFrom ? session.envelope.mailFrom.address : '';
        mails.push({ sequence: mails.total + 1, atMs: Date.now(), from, to, ...readMail(raw), raw });
        if (fault?.kind === 'cut-after') {
          for (const connection of server.connections)
            if (connection.id === session.id) connection._socket.destroy();
          return;
        }
        callback(null, `kept as ${mails.total}`);
      });
    },
  });
  // A client that goes away in the middle is none of our errors.
  server.on('error', () => undefined);
  const listening = server.listen(port, host);
  await Promise.race([
    once(listening, 'listening'),
    once(listening, 'error').then(([error]) => Promise.reject(error)),
  ]);
  const address = server.server.address() as AddressInfo;
  return {
    url: `smtp://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${address.port}`,
    faults,
    list: ({ to, after = 0 } = {}) =>
      mails.values().filter((mail) => mail.sequence > after && (to === undefined || mail.to.includes(to))),
    get total() {
      return mails.total;
    },
    clear() {
      mails.clear();
      faults.remove();
    },
    async close() {
      for (const connection of server.connections) connection._socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function reply(responseCode: number, message: string): SMTPServerError {
  return Object.assign(new Error(message), { responseCode });
}
