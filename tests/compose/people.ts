import { setTimeout as delay } from 'node:timers/promises';

/** People who write to the simulated number, all at once if need be. */
export interface People {
  /**
   * One person's whole conversation: hello, question, answer, reply.
   *
   * @returns the texts that they got, in order, and how long the first took from being written.
   * @throws Error when a reply does not come within `timeoutMs`.
   */
  converse(phone: string, timeoutMs: number): Promise<{ texts: string[]; firstReplyMs: number }>;
  /** Everything that one person got so far. */
  textsOf(phone: string): string[];
  /** Ends the watching. */
  close(): Promise<void>;
}

interface Accepted {
  sequence: number;
  to?: string;
  payload: {
    text?: { body?: string };
    interactive?: {
      body?: { text?: string };
      action?: { buttons?: { reply: { id: string; title: string } }[] };
    };
  };
}

/**
 * Lets people write through the simulator's control API and watches what they get.
 *
 * @param simulatorUrl where the simulator is.
 */
export function createPeople(simulatorUrl: string): People {
  const received = new Map<string, Accepted[]>();
  const waiters = new Set<() => void>();
  const stop = new AbortController();
  let sequence = 0;

  async function look(): Promise<void> {
    const { messages } = await control<{ messages: Accepted[] }>(
      `${simulatorUrl}/_simulator/accepted?after=${sequence}`,
    );
    for (const message of messages) {
      sequence = Math.max(sequence, message.sequence);
      const phone = message.to ?? '';
      received.set(phone, [...(received.get(phone) ?? []), message]);
    }
    if (messages.length > 0) for (const waiter of waiters) waiter();
  }
  const watching = (async () => {
    while (!stop.signal.aborted) {
      await look().catch(() => undefined);
      await delay(50, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();

  function nth(phone: string, index: number, timeoutMs: number): Promise<Accepted> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        waiters.delete(check);
        act();
      };
      const check = () => {
        const message = received.get(phone)?.[index];
        if (message) settle(() => resolve(message));
      };
      const timer = setTimeout(
        () =>
          settle(() => reject(new Error(`${phone} got no reply ${index + 1} within ${timeoutMs / 1000} s`))),
        timeoutMs,
      );
      waiters.add(check);
      check();
    });
  }

  const say = (phone: string, message: object) =>
    control(`${simulatorUrl}/_simulator/inbound`, { from: phone, name: 'Ada', ...message });
  const textsOf = (phone: string) => (received.get(phone) ?? []).map(textOf);

  return {
    textsOf,
    async converse(phone, timeoutMs) {
      const startedAt = performance.now();
      await say(phone, { text: 'hello' });
      const question = await nth(phone, 0, timeoutMs);
      const firstReplyMs = performance.now() - startedAt;
      const button = question.payload.interactive?.action?.buttons?.[0]?.reply;
      await say(phone, button ? { buttonReply: button } : { text: 'My order' });
      await nth(phone, 1, timeoutMs);
      return { texts: textsOf(phone), firstReplyMs };
    },
    async close() {
      stop.abort();
      await watching;
    },
  };
}

function textOf({ payload }: Accepted): string {
  return payload.text?.body ?? payload.interactive?.body?.text ?? '(no text)';
}

/** Calls the simulator's control API. @throws Error when it refuses. */
export async function control<T>(url: string, body?: object, method = 'POST'): Promise<T> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(5000),
    ...(body === undefined
      ? {}
      : { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as { success: boolean; data: T };
  if (!answer.success) throw new Error(`${url} answered ${response.status}: ${JSON.stringify(answer)}`);
  return answer.data;
}
