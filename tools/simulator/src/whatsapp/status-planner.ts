import type { Random } from '../random.ts';
import type { Settings } from '../settings.ts';
import type { TimerWheel } from '../timer-wheel.ts';
import type { AcceptedMessage } from './accepted-log.ts';
import type { Incident } from './incident-log.ts';
import type { BusinessNumber } from './numbers.ts';
import { contactJson, type People } from './people.ts';
import { renderStatus, type StatusName } from './render-status.ts';
import type { Update } from './update.ts';

/** What is special about one message's receipts. */
export interface ReceiptFaults {
  /** None of its statuses is ever sent. */
  readonly withhold: boolean;
  /** It fails with this code instead of being delivered. */
  readonly failCode: number | undefined;
  /** It is reported as sent before it fails. */
  readonly isSentFirst: boolean;
}

/** Decides when each status of an accepted message is reported. */
export interface StatusPlanner {
  /** Statuses still to come. */
  readonly planned: number;
  plan(message: AcceptedMessage, number: BusinessNumber, category: string, faults: ReceiptFaults): void;
  /** Forgets how many are planned, with the wheel that holds them. */
  clear(): void;
}

/** What a {@link StatusPlanner} needs. */
export interface StatusPlannerOptions {
  settings: () => Settings['statuses'];
  wheel: TimerWheel;
  random: Random;
  people: People;
  push: (update: Update) => void;
  onIncident: (incident: Omit<Incident, 'sequence' | 'atMs'>) => void;
  onStatus: (message: AcceptedMessage, status: StatusName) => void;
  /** Told when nothing is planned any more. */
  onDone: () => void;
}

const rank = { accepted: 0, sent: 1, delivered: 2, read: 3, failed: 4 };

/** Creates a {@link StatusPlanner}. */
export function createStatusPlanner(options: StatusPlannerOptions): StatusPlanner {
  const { settings, wheel, random, people, push } = options;
  let planned = 0;
  let generation = 0;

  function stretch(delayMs: number): number {
    const { jitter } = settings();
    return jitter === 0 ? delayMs : delayMs * (1 + jitter * random.next());
  }

  /** The statuses that happen, in order, with the time of each. */
  function stagesOf({ failCode, isSentFirst }: ReceiptFaults): [StatusName, number][] {
    const { sentDelayMs, deliveredDelayMs, readDelayMs, deliveredRate, readRate } = settings();
    const stages: [StatusName, number][] = [['sent', stretch(sentDelayMs)]];
    if (failCode !== undefined && !isSentFirst) return [['failed', stretch(sentDelayMs)]];
    if (failCode !== undefined) return [...stages, ['failed', stretch(deliveredDelayMs)]];
    if (!random.chance(deliveredRate)) return stages;
    stages.push(['delivered', stretch(deliveredDelayMs)]);
    if (random.chance(readRate)) stages.push(['read', stretch(readDelayMs)]);
    return stages;
  }

  function incidentOf(message: AcceptedMessage, kind: Incident['kind'], status?: StatusName) {
    const { to, userId, messageId, attempt, wamid } = message;
    options.onIncident({ kind, accepted: true, to: to ?? userId ?? '', messageId, attempt, wamid, status });
  }

  return {
    get planned() {
      return planned;
    },
    plan(message, number, category, faults) {
      const { enabled, shuffle, lossRate, duplicateRate, withholdRate, includeConversation } = settings();
      if (!enabled) return;
      const isWithheld = faults.withhold || random.chance(withholdRate);
      if (isWithheld) incidentOf(message, 'withhold-receipts');
      const stages = stagesOf(faults);
      const lastDelayMs = Math.max(...stages.map(([, delayMs]) => delayMs));
      const person = people.find({ phone: message.to, userId: message.userId });
      const contact = { key: person.phone ?? person.userId, json: contactJson(person) };
      const at = generation;
      for (const [status, delayMs] of stages) {
        planned += 1;
        wheel.schedule(shuffle ? random.next() * lastDelayMs : delayMs, () => {
          if (at !== generation) return;
          planned -= 1;
          if (planned === 0) queueMicrotask(options.onDone);
          if (rank[status] > rank[message.status]) message.status = status;
          options.onStatus(message, status);
          if (isWithheld) return;
          if (random.chance(lossRate)) {
            incidentOf(message, 'receipt-lost', status);
            return;
          }
          const json = renderStatus({
            message,
            person,
            status,
            category,
            failCode: faults.failCode,
            includeConversation,
          });
          const update: Update = {
            kind: 'statuses',
            number,
            json,
            ...(status === 'failed' ? {} : { contact }),
          };
          push(update);
          if (!random.chance(duplicateRate)) return;
          incidentOf(message, 'receipt-duplicated', status);
          push(update);
        });
      }
    },
    clear() {
      generation += 1;
      planned = 0;
    },
  };
}
