import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

/** Answers of the people in the bench: what they say, in order. */
export const lines = ['hello', 'My order'] as const;

/** How one round went. */
export interface Round {
  /** Inbound events that led to a send request, per second. */
  rate: number;
  /** From the event's add to the request's add. */
  appliedMs: number[];
  /** From the request's add to the worker of `messages`. */
  takenMs: number[];
}

/** Plays people at one end of the chain and campaign-sender at the other. */
export interface Load {
  /**
   * Has conversations, so many at a time, for so long: each says the next line when the reply to the last has been asked for.
   *
   * @param options.perSecond begins so many in a second, instead of the next when one ends.
   */
  converse(options: { atATime: number; durationMs: number; perSecond?: number }): Promise<Round>;
  /** Says something outside of any conversation. */
  say(contactId: string, text: string): Promise<void>;
  /** How many send requests have come to contacts that nobody here plays. */
  strangers(): number;
  close(): Promise<void>;
}

interface Talk {
  contactId: string;
  said: number;
  saidAtMs: number;
}

const flowJob = { attempts: 3, backoff: { type: 'exponential', delay: 5000 } } as const;

const messageOf = ({ message }: { message: { contactId: string } }) => message;

/** Opens both ends. */
export async function openLoad(redisUrl: string): Promise<Load> {
  const connect = () => new Redis(redisUrl, { maxRetriesPerRequest: null, db: 1 });
  const connections = [connect(), connect()];
  const flows = new Queue('flows', { connection: connections[0]!, skipVersionCheck: true });
  const talks = new Map<string, Talk>();
  let strangers = 0;
  let serial = 0;
  let onReply: (talk: Talk, addedAtMs: number) => void = () => {};

  const messages = new Worker(
    'messages',
    async ({ data: { payload }, timestamp }) => {
      const requests = 'messages' in payload ? payload.messages.map(messageOf) : [payload];
      for (const { contactId } of requests) {
        const talk = talks.get(contactId);
        if (talk) onReply(talk, timestamp);
        else strangers += 1;
      }
    },
    {
      connection: connections[1]!,
      concurrency: 200,
      removeOnComplete: { count: 100 },
      removeOnFail: { count: 500 },
      metrics: { maxDataPoints: 1440 },
    },
  );
  await messages.waitUntilReady();

  function sayNext(talk: Talk): Promise<void> {
    const text = lines[talk.said]!;
    talk.said += 1;
    talk.saidAtMs = Date.now();
    return say(talk, text);
  }

  async function say({ contactId, said, saidAtMs }: Talk, text: string): Promise<void> {
    const eventId = `evt_${contactId}_${said}`;
    const address = `+1${contactId.replaceAll(/\D/g, '').slice(-13)}`;
    const payload = {
      merchantId: 'default',
      eventId,
      kind: 'message',
      name: 'message.received',
      contact: { id: contactId, address, phone: address, name: 'Ada Lovelace', optedOut: false },
      sequence: said,
      senderId: 'snd_1',
      messageId: `in_${eventId}`,
      content: { type: 'text', text },
      occurredAtMs: saidAtMs,
      acceptedAtMs: saidAtMs,
    };
    const meta = { correlationId: eventId, merchantId: 'default' };
    await flows.add('handle-event', { v: 1, payload, meta }, { ...flowJob, jobId: eventId });
  }

  function begin(): Promise<void> {
    serial += 1;
    const contactId = `con_${process.pid}_${Date.now()}_${serial}`;
    const talk = { contactId, said: 0, saidAtMs: 0 };
    talks.set(contactId, talk);
    return sayNext(talk);
  }

  return {
    say: (contactId, text) => say({ contactId, said: 1, saidAtMs: Date.now() }, text),
    strangers: () => strangers,
    converse({ atATime, durationMs, perSecond }) {
      const round: Round = { rate: 0, appliedMs: [], takenMs: [] };
      const { promise, resolve, reject } = Promise.withResolvers<Round>();
      const startedAt = performance.now();
      const isOver = () => performance.now() - startedAt >= durationMs;
      let replies = 0;
      const start = () => void begin().catch(reject);

      onReply = (talk, addedAtMs) => {
        if (!isOver()) replies += 1;
        round.appliedMs.push(addedAtMs - talk.saidAtMs);
        round.takenMs.push(Date.now() - addedAtMs);
        if (talk.said < lines.length) void sayNext(talk).catch(reject);
        else {
          talks.delete(talk.contactId);
          if (perSecond === undefined && !isOver()) start();
        }
        endWhenQuiet();
      };
      function endWhenQuiet(): void {
        if (!isOver() || talks.size > 0) return;
        round.rate = (replies / durationMs) * 1000;
        resolve(round);
      }
      if (perSecond === undefined) for (let index = 0; index < atATime; index += 1) start();
      else {
        // One more is begun whenever the clock says so, whatever became of those before: waiting would hide a stall.
        let begun = 0;
        const pacer = setInterval(() => {
          if (isOver()) {
            clearInterval(pacer);
            // Everybody may have been answered before the time was up.
            endWhenQuiet();
            return;
          }
          const due = ((performance.now() - startedAt) / 1000) * (perSecond / lines.length);
          for (; begun < due; begun += 1) start();
        }, 5);
      }
      return promise;
    },
    async close() {
      await messages.close();
      await flows.close();
      for (const connection of connections) connection.disconnect();
    },
  };
}

/** The value below which so much of a sorted list lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
