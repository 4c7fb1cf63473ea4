import type { Cluster, Redis } from 'ioredis';
import {
  admitScript,
  clearScript,
  debitScript,
  delayRecipientScript,
  giveBackProbeScript,
  holdScript,
  slowDownScript,
  troubleScript,
} from './admission-script.ts';
import { createForeignClock } from './foreign-clock.ts';
import { type Lane, LONGEST_WAIT_MS, laneRules, lanes, lookaheadMicros } from './lanes.ts';
import type { Pace } from './pace.ts';
import { WHOLE_RECOVERY_MICROS } from './recovery.ts';
import type { Slot } from './slot-clock.ts';

/** People outside the 24-hour window that a portfolio may write to in any 24 hours. */
export interface PortfolioLimit {
  id: string;
  peoplePerDay: number;
}

/** One message that wants a slot. */
export interface AdmissionRequest {
  senderId: string;
  recipient: string;
  pace: Pace;
  lane: Lane;
  /** Of a message outside the recipient's window, where the portfolio has a limit. */
  portfolio?: PortfolioLimit | undefined;
  /** It had a slot and missed it; the recipient's credit is not charged twice. */
  isAgain?: boolean;
  /** Asks for nothing but what is due of its lane's share: more urgent messages are waiting. */
  isShareOnly?: boolean;
}

/** What keeps a message from going. */
export type Obstacle = 'rate' | 'pause' | 'circuit' | 'recipient' | 'portfolio' | 'app';

/**
 * Whether a message may go. Only an admitted one has its slot reserved, `waitMs` after the question was read; a refused one may ask
 * again after `waitMs`.
 */
export type Admission =
  | { admitted: true; waitMs: number; slot: Slot; isProbe: boolean }
  | { admitted: false; waitMs: number; obstacle: Obstacle };

/** The pace of all processes together. Kept in the queue role: without it nothing is sent anyway. */
export interface AdmissionControl {
  /** Asks for slots, the first request first. One round trip. @returns in the same order. */
  admit(requests: readonly AdmissionRequest[]): Promise<Admission[]>;
  /** Counts messages that came in. */
  debit(senderId: string, units: number, pace: Pace): Promise<void>;
  /** Counts a call besides sending against the app's calls, where they are limited. */
  countCall(): Promise<void>;
  /** The provider said the number is too fast. @returns the share of the rate that is left. */
  slowDown(senderId: string): Promise<number>;
  /** The number sends nothing for so long. */
  hold(senderId: string, pauseMs: number): Promise<void>;
  /** No number sends anything for so long: the provider said that the app calls too much. */
  holdApp(pauseMs: number): Promise<void>;
  /** The provider said that one recipient gets too much. @returns for how long nothing goes there. */
  delayRecipient(senderId: string, recipient: string): Promise<number>;
  /** A call ended in a way that says the provider is unwell. @returns whether that has opened the number's circuit. */
  reportTrouble(senderId: string, isProbe: boolean): Promise<boolean>;
  /** The number works: ends its pause and closes its circuit. */
  clear(senderId: string): Promise<void>;
  /** A probe was not called for: the next message may be it, at once. */
  giveBackProbe(senderId: string): Promise<void>;
}

/** What the provider allows beside the pace of each number. */
export interface ProviderLimits {
  /** Calls of the whole installation, where the app's budget is known. */
  callsPerSecond?: number | undefined;
  /** Time that each message to one recipient takes; 0: no limit. */
  pairIntervalMs?: number;
}

const SECOND_MICROS = 1_000_000;
/**
 * The provider's limit per pair of number and recipient: one in 6 s. Within 6 s of the first, up to 45 go on credit, and then none until
 * all are paid back, as long as they would have taken one by one. A little more than 6 s, since calls take unequal time.
 */
const PAIR = { intervalMs: 6200, burst: 45 } as const;
const PAUSE_AFTER_CUT_MICROS = SECOND_MICROS;
const BETWEEN_CUTS_MICROS = 2 * SECOND_MICROS;
const CIRCUIT = { troubles: 20, openMicros: 5 * SECOND_MICROS, maxOpenMicros: 60 * SECOND_MICROS } as const;
/** Longer than any call: the probe's own end decides, unless its process has died. */
const PROBE_MICROS = 60 * SECOND_MICROS;
const obstacles: readonly Obstacle[] = ['rate', 'pause', 'circuit', 'recipient', 'portfolio', 'app'];

interface Scripts {
  sendAdmit(keyCount: number, ...keysAndArgs: (string | number)[]): Promise<number[]>;
  sendDebit(number: string, interval: number, units: number, arrears: number): Promise<number>;
  sendSlowDown(number: string, recovery: number, pause: number, between: number): Promise<string>;
  sendHold(key: string, pause: number): Promise<number>;
  sendClear(number: string): Promise<number>;
  sendGiveBackProbe(number: string): Promise<number>;
  sendDelayRecipient(recipient: string): Promise<number>;
  sendTrouble(
    number: string,
    troubles: number,
    open: number,
    maxOpen: number,
    isProbe: 0 | 1,
  ): Promise<number>;
}

/**
 * @param client a connection of the queue role.
 * @param keyPrefix the role's prefix: with a hash tag on a cluster, since one script touches the keys of many numbers.
 */
export function createAdmission(
  client: Redis | Cluster,
  keyPrefix: string,
  { callsPerSecond, pairIntervalMs = PAIR.intervalMs }: ProviderLimits = {},
): AdmissionControl {
  client.defineCommand('sendAdmit', { lua: admitScript });
  client.defineCommand('sendDebit', { numberOfKeys: 1, lua: debitScript });
  client.defineCommand('sendSlowDown', { numberOfKeys: 1, lua: slowDownScript });
  client.defineCommand('sendHold', { numberOfKeys: 1, lua: holdScript });
  client.defineCommand('sendClear', { numberOfKeys: 1, lua: clearScript });
  client.defineCommand('sendGiveBackProbe', { numberOfKeys: 1, lua: giveBackProbeScript });
  client.defineCommand('sendDelayRecipient', { numberOfKeys: 1, lua: delayRecipientScript });
  client.defineCommand('sendTrouble', { numberOfKeys: 1, lua: troubleScript });
  const scripts = client as unknown as Scripts;
  const clock = createForeignClock();
  const appKey = `${keyPrefix}send:app`;
  const numberKey = (senderId: string) => `${keyPrefix}send:number:${senderId}`;
  const recipientKey = (senderId: string, recipient: string) =>
    `${keyPrefix}send:pair:${senderId}:${recipient}`;
  const portfolioKey = (id: string) => `${keyPrefix}send:portfolio:${id}`;
  const appInterval = callsPerSecond === undefined ? 0 : Math.ceil(SECOND_MICROS / callsPerSecond);
  /** A tenth of a second at once: processes ask in batches. */
  const common = [appInterval, SECOND_MICROS / 10, WHOLE_RECOVERY_MICROS, pairIntervalMs * 1000, PAIR.burst];
  const constants = [...common, LONGEST_WAIT_MS * 1000, PROBE_MICROS];

  return {
    async admit(requests) {
      if (requests.length === 0) return [];
      const keys: string[] = [appKey];
      const args: (string | number)[] = [...constants];
      for (const request of requests) {
        const { senderId, recipient, pace, lane, portfolio } = request;
        keys.push(
          numberKey(senderId),
          recipientKey(senderId, recipient),
          portfolio ? portfolioKey(portfolio.id) : appKey,
        );
        args.push(
          pace.intervalMicros,
          pace.burst,
          request.isShareOnly ? -1 : lookaheadMicros(lane, pace),
          lanes.indexOf(lane) + 1,
          laneRules[lane].share,
          request.isAgain ? 0 : 1,
          portfolio?.peoplePerDay ?? 0,
          portfolio ? recipient : '',
          pace.arrearsMicros,
        );
      }
      const askedAtMs = performance.now();
      const answers = await scripts.sendAdmit(keys.length, ...keys, ...args);
      const readAtMs = answers.at(-1)! / 1000;
      clock.observe(readAtMs, askedAtMs, performance.now());
      return requests.map((_, index): Admission => {
        const [waitMs, lostMs] = [answers[3 * index]! / 1000, answers[3 * index + 1]! / 1000];
        const kind = answers[3 * index + 2]!;
        if (kind < 2) {
          const slot = { atMs: clock.toLocal(readAtMs + waitMs), lostMs };
          return { admitted: true, waitMs, slot, isProbe: kind === 1 };
        }
        return { admitted: false, waitMs, obstacle: obstacles[kind - 2]! };
      });
    },
    async debit(senderId, units, pace) {
      await scripts.sendDebit(numberKey(senderId), pace.intervalMicros, units, pace.arrearsMicros);
    },
    async countCall() {
      if (appInterval > 0) await scripts.sendDebit(appKey, appInterval, 1, 0);
    },
    async slowDown(senderId) {
      return Number(
        await scripts.sendSlowDown(
          numberKey(senderId),
          WHOLE_RECOVERY_MICROS,
          PAUSE_AFTER_CUT_MICROS,
          BETWEEN_CUTS_MICROS,
        ),
      );
    },
    async hold(senderId, pauseMs) {
      await scripts.sendHold(numberKey(senderId), pauseMs * 1000);
    },
    async holdApp(pauseMs) {
      await scripts.sendHold(appKey, pauseMs * 1000);
    },
    async delayRecipient(senderId, recipient) {
      return (await scripts.sendDelayRecipient(recipientKey(senderId, recipient))) / 1000;
    },
    async reportTrouble(senderId, isProbe) {
      const { troubles, openMicros, maxOpenMicros } = CIRCUIT;
      const opened = await scripts.sendTrouble(
        numberKey(senderId),
        troubles,
        openMicros,
        maxOpenMicros,
        isProbe ? 1 : 0,
      );
      return opened === 1;
    },
    async giveBackProbe(senderId) {
      await scripts.sendGiveBackProbe(numberKey(senderId));
    },
    async clear(senderId) {
      await scripts.sendClear(numberKey(senderId));
    },
  };
}
