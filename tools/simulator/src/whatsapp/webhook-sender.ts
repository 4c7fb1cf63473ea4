import type { Logger } from 'pino';
import { Agent, request } from 'undici';
import type { Random } from '../random.ts';
import type { Settings } from '../settings.ts';
import type { TimerWheel } from '../timer-wheel.ts';
import { signBody } from './signature.ts';
import { renderEnvelope, type Update } from './update.ts';
import { createUpdateQueue } from './update-queue.ts';

/** What the sender did since start or reset. */
export interface WebhookFigures {
  /** POSTs answered with 200. */
  delivered: number;
  /** POSTs answered otherwise, timed out or not connected; each retry counts anew. */
  failed: number;
  /** Updates inside delivered POSTs. */
  deliveredUpdates: number;
  /** Updates given up: too old, or too many waiting. */
  droppedUpdates: number;
  /** Updates waiting: for their first POST, in flight, or for a retry. */
  pendingUpdates: number;
  /** POSTs waiting for a retry. */
  retrying: number;
}

/** Posts signed webhooks in batches and retries them as the provider does. */
export interface WebhookSender {
  push(update: Update): void;
  /** Looks at the settings again: after a pause, or with another batch size. */
  wake(): void;
  figures(): WebhookFigures;
  clear(): void;
  close(): Promise<void>;
}

interface Post {
  readonly body: Buffer;
  readonly updates: number;
  readonly firstAtMs: number;
  attempts: number;
}

/** What a {@link WebhookSender} needs. */
export interface WebhookSenderOptions {
  settings: () => Settings['webhooks'];
  appSecret: string;
  wheel: TimerWheel;
  random: Random;
  logger: Logger;
  /** Told of every POST that was not answered with 200. */
  onFailure?: (failure: {
    attempt: number;
    updates: number;
    reason: string;
    retryInMs: number | undefined;
  }) => void;
  /** Told whenever nothing is pending any more. */
  onIdle?: () => void;
}

/** Creates a {@link WebhookSender}. Its memory is bounded by `maxPendingUpdates`. */
export function createWebhookSender(options: WebhookSenderOptions): WebhookSender {
  const { settings, appSecret, wheel, random, logger } = options;
  const agent = new Agent({ connections: 64, pipelining: 1, keepAliveTimeout: 30_000 });
  const queue = createUpdateQueue<Update>();
  const ready: Post[] = [];
  const waiting = new Set<Post>();
  const blank = { delivered: 0, failed: 0, deliveredUpdates: 0, droppedUpdates: 0 };
  let figures = { ...blank };
  let active = 0;
  let activeUpdates = 0;
  let heldUpdates = 0;
  let dueCount = 0;
  let isFlushScheduled = false;
  let generation = 0;
  let isClosed = false;

  const pendingUpdates = () => queue.size + activeUpdates + heldUpdates;

  function takeBatch(): Post | undefined {
    const { maxUpdatesPerPost } = settings();
    if (queue.size === 0 || (dueCount === 0 && queue.size < maxUpdatesPerPost)) return undefined;
    const updates = queue.take(maxUpdatesPerPost);
    dueCount = Math.max(0, dueCount - updates.length);
    const time = random.chance(0.5) ? Math.floor(Date.now() / 1000) : undefined;
    const body = Buffer.from(renderEnvelope(updates, time));
    return { body, updates: updates.length, firstAtMs: Date.now(), attempts: 0 };
  }

  function takeReady(): Post | undefined {
    const post = ready.shift();
    if (post) heldUpdates -= post.updates;
    return post;
  }

  function pump(): void {
    const { concurrency, paused } = settings();
    while (!paused && active < concurrency && !isClosed) {
      const post = takeReady() ?? takeBatch();
      if (!post) break;
      active += 1;
      activeUpdates += post.updates;
      void deliver(post, generation);
    }
    if (queue.size > 0 && dueCount === 0) scheduleFlush();
  }

  function scheduleFlush(): void {
    if (isFlushScheduled) return;
    isFlushScheduled = true;
    const at = generation;
    wheel.schedule(settings().flushMs, () => {
      if (at !== generation) return;
      isFlushScheduled = false;
      dueCount = queue.size;
      pump();
    });
  }

  async function deliver(post: Post, at: number): Promise<void> {
    const problem = await attempt(post);
    if (at !== generation || isClosed) return;
    active -= 1;
    activeUpdates -= post.updates;
    if (problem === undefined) {
      figures.delivered += 1;
      figures.deliveredUpdates += post.updates;
    } else {
      figures.failed += 1;
      retry(post, problem);
    }
    pump();
    if (pendingUpdates() === 0) options.onIdle?.();
  }

  /** @returns what went wrong, or undefined. */
  async function attempt(post: Post): Promise<string | undefined> {
    const { url, timeoutMs } = settings();
    post.attempts += 1;
    try {
      const answer = await request(url, {
        method: 'POST',
        dispatcher: agent,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'facebookexternalua',
          'x-hub-signature-256': signBody(post.body, appSecret),
        },
        body: post.body,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      });
      await answer.body.dump({ limit: 65_536 });
      return answer.statusCode === 200 ? undefined : `answered ${answer.statusCode}`;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code ?? message;
    }
  }

  /** The first retry is immediate, then the pauses double. */
  function retry(post: Post, reason: string): void {
    const { retryBaseMs, retryMaxMs, retryForMs } = settings();
    const doubled = Math.min(retryMaxMs, retryBaseMs * 2 ** Math.max(0, post.attempts - 2));
    const pauseMs = post.attempts === 1 ? 0 : doubled * (0.75 + 0.5 * random.next());
    const isOver = Date.now() + pauseMs - post.firstAtMs > retryForMs;
    const retryInMs = isOver ? undefined : Math.round(pauseMs);
    logger.debug(
      { reason, attempt: post.attempts, updates: post.updates, retryInMs },
      'webhook not delivered',
    );
    options.onFailure?.({ attempt: post.attempts, updates: post.updates, reason, retryInMs });
    if (isOver) {
      figures.droppedUpdates += post.updates;
      return;
    }
    heldUpdates += post.updates;
    waiting.add(post);
    const at = generation;
    wheel.schedule(pauseMs, () => {
      if (at !== generation || !waiting.delete(post)) return;
      ready.push(post);
      pump();
    });
    shed();
  }

  /** Drops the oldest above the bound: retries first, they had their chance. */
  function shed(): void {
    const { maxPendingUpdates } = settings();
    while (pendingUpdates() > maxPendingUpdates) {
      const [oldest] = waiting;
      if (oldest) {
        waiting.delete(oldest);
        heldUpdates -= oldest.updates;
        figures.droppedUpdates += oldest.updates;
        continue;
      }
      const dropped = takeReady()?.updates ?? queue.take(1).length;
      if (dropped === 0) return;
      figures.droppedUpdates += dropped;
    }
  }

  return {
    push(update) {
      queue.push(update);
      if (queue.size >= settings().maxUpdatesPerPost) pump();
      else scheduleFlush();
      if (pendingUpdates() > settings().maxPendingUpdates) shed();
    },
    wake: pump,
    figures: () => ({
      ...figures,
      pendingUpdates: pendingUpdates(),
      retrying: waiting.size + ready.length,
    }),
    clear() {
      generation += 1;
      queue.clear();
      ready.length = 0;
      waiting.clear();
      figures = { ...blank };
      active = 0;
      activeUpdates = 0;
      heldUpdates = 0;
      dueCount = 0;
      isFlushScheduled = false;
    },
    async close() {
      isClosed = true;
      await agent.destroy();
    },
  };
}
