import type { Cluster, Redis } from 'ioredis';
import {
  admitScript,
  debitScript,
  delayRecipientScript,
  holdScript,
  slowDownScript,
} from './admission-script.ts';
import type { Pace } from './pace.ts';

/** Whether a message may go. `waitMs` is until then; only an admitted message has its slot reserved. */
export type Admission = { admitted: true; waitMs: number } | { admitted: false; waitMs: number };

/** The pace of all processes together. Kept in the queue role: without it nothing is sent anyway. */
export interface AdmissionControl {
  /**
   * Asks for a slot for one message from a number to a recipient.
   *
   * @param isAgain the message had a slot and missed it; the recipient's credit is not charged twice.
   */
  admit(senderId: string, recipient: string, pace: Pace, isAgain?: boolean): Promise<Admission>;
  /** Counts messages that came in. */
  debit(senderId: string, units: number, pace: Pace): Promise<void>;
  /** The provider said the number is too fast. @returns the share of the rate that is left. */
  slowDown(senderId: string): Promise<number>;
  /** The number sends nothing for so long. */
  hold(senderId: string, pauseMs: number): Promise<void>;
  /** The provider said that one recipient gets too much. @returns for how long nothing goes there. */
  delayRecipient(senderId: string, recipient: string): Promise<number>;
}

const SECOND_MICROS = 1_000_000;
/** The provider's limit per pair of number and recipient: one in 6 s, 45 at once on credit. */
const PAIR = { intervalMicros: 6 * SECOND_MICROS, burst: 45 } as const;
const LONGEST_RESERVED_WAIT_MICROS = 2 * SECOND_MICROS;
const RECOVERY_MICROS = 60 * SECOND_MICROS;
const PAUSE_AFTER_CUT_MICROS = SECOND_MICROS;
const BETWEEN_CUTS_MICROS = 2 * SECOND_MICROS;

interface Scripts {
  sendAdmit(number: string, recipient: string, ...args: (string | number)[]): Promise<number>;
  sendDebit(number: string, interval: number, units: number): Promise<number>;
  sendSlowDown(number: string, recovery: number, pause: number, between: number): Promise<string>;
  sendHold(number: string, pause: number): Promise<number>;
  sendDelayRecipient(recipient: string): Promise<number>;
}

/**
 * @param client a connection of the queue role.
 * @param keyPrefix the role's prefix: with a hash tag on a cluster, since one script touches two keys.
 */
export function createAdmission(client: Redis | Cluster, keyPrefix: string): AdmissionControl {
  client.defineCommand('sendAdmit', { numberOfKeys: 2, lua: admitScript });
  client.defineCommand('sendDebit', { numberOfKeys: 1, lua: debitScript });
  client.defineCommand('sendSlowDown', { numberOfKeys: 1, lua: slowDownScript });
  client.defineCommand('sendHold', { numberOfKeys: 1, lua: holdScript });
  client.defineCommand('sendDelayRecipient', { numberOfKeys: 1, lua: delayRecipientScript });
  const scripts = client as unknown as Scripts;
  const numberKey = (senderId: string) => `${keyPrefix}send:number:${senderId}`;
  const recipientKey = (senderId: string, recipient: string) =>
    `${keyPrefix}send:pair:${senderId}:${recipient}`;

  return {
    async admit(senderId, recipient, pace, isAgain = false) {
      const micros = await scripts.sendAdmit(
        numberKey(senderId),
        recipientKey(senderId, recipient),
        pace.intervalMicros,
        pace.burst,
        PAIR.intervalMicros,
        PAIR.burst,
        LONGEST_RESERVED_WAIT_MICROS,
        RECOVERY_MICROS,
        isAgain ? 0 : 1,
      );
      return micros < 0
        ? { admitted: false, waitMs: Math.ceil(-micros / 1000) }
        : { admitted: true, waitMs: micros / 1000 };
    },
    async debit(senderId, units, pace) {
      await scripts.sendDebit(numberKey(senderId), pace.intervalMicros, units);
    },
    async slowDown(senderId) {
      return Number(
        await scripts.sendSlowDown(
          numberKey(senderId),
          RECOVERY_MICROS,
          PAUSE_AFTER_CUT_MICROS,
          BETWEEN_CUTS_MICROS,
        ),
      );
    },
    async hold(senderId, pauseMs) {
      await scripts.sendHold(numberKey(senderId), pauseMs * 1000);
    },
    async delayRecipient(senderId, recipient) {
      return (await scripts.sendDelayRecipient(recipientKey(senderId, recipient))) / 1000;
    },
  };
}
