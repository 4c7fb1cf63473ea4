import { setTimeout as delay } from 'node:timers/promises';
import { signMeta } from '@switchyard/test-kit';
import { Agent, request } from 'undici';
import { textWebhook } from '../fixtures/payloads.ts';
import type { Replica } from './replicas.ts';

/** Longer than any answer may take. */
const ANSWER_WITHIN_MS = 5000;

/** A provider that delivers at least once: it retries until it gets a 200, and now and then delivers once more although it got one. */
export function createProvider(settings: { replicas: readonly Replica[]; secret: string; senders: number }) {
  const { replicas, secret, senders } = settings;
  const agent = new Agent({ connections: 64 });
  const answers = new Map<string, number>();
  const acknowledged = new Set<string>();
  let serial = 0;
  let isStopping = false;
  let isClosed = false;
  let turn = 0;

  async function post(url: string, body: string): Promise<number | undefined> {
    try {
      const answer = await request(`${url}/webhooks/whatsapp`, {
        method: 'POST',
        dispatcher: agent,
        headersTimeout: ANSWER_WITHIN_MS,
        headers: { 'content-type': 'application/json', 'x-hub-signature-256': signMeta(body, secret) },
        body,
      });
      await answer.body.dump();
      return answer.statusCode;
    } catch {
      return undefined;
    }
  }

  /** One attempt at whichever replica is up. */
  async function attempt(body: string): Promise<boolean> {
    const up = replicas.filter(({ url }) => url !== undefined);
    const replica = up[turn++ % up.length];
    if (!replica?.url) {
      await delay(50);
      return false;
    }
    replica.inFlight += 1;
    const status = await post(replica.url, body);
    replica.inFlight -= 1;
    const key = String(status ?? 'none');
    answers.set(key, (answers.get(key) ?? 0) + 1);
    return status === 200;
  }

  async function deliver(id: string): Promise<void> {
    const body = JSON.stringify(textWebhook(id));
    // A provider's network doubles a request now and then: both copies are on their way at once.
    const copies = Math.random() < 0.05 ? 2 : 1;
    for (;;) {
      if (isClosed) return;
      const results = await Promise.all(Array.from({ length: copies }, () => attempt(body)));
      if (results.includes(true)) break;
      await delay(20 + Math.random() * 80);
    }
    acknowledged.add(id);
    // And retries what was answered already.
    if (Math.random() < 0.1) await attempt(body);
  }

  const lanes = Array.from({ length: senders }, async () => {
    while (!isStopping) await deliver(`chaos-${serial++}`);
  });

  return {
    /** Ids by what became of them. */
    acknowledged,
    /** How many answers of each status there were; `none` where a connection just ended. */
    answers,
    get sent() {
      return serial;
    },
    /** Starts no new event, and retries those under way until each is acknowledged. */
    async finish(): Promise<void> {
      isStopping = true;
      await Promise.all(lanes);
    },
    /** The same event at all replicas at once. */
    async deliverAtOnce(id: string, copies: number): Promise<(number | undefined)[]> {
      const body = JSON.stringify(textWebhook(id));
      acknowledged.add(id);
      return Promise.all(
        Array.from({ length: copies }, (_, index) => post(replicas[index % replicas.length]!.url!, body)),
      );
    },
    async close(): Promise<void> {
      isStopping = true;
      isClosed = true;
      await agent.destroy();
      await Promise.all(lanes);
    },
  };
}
