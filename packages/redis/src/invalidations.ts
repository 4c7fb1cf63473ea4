import { Cluster } from 'ioredis';
import type { RedisClient } from './redis-client.ts';

/** Word from other instances that a key has changed. */
export interface Invalidations {
  /** Whether every invalidation arrives at present. */
  isLive(): boolean;
  /** Resolves when it does. */
  ready(): Promise<void>;
  close(): void;
}

/** Settings of {@link createInvalidations}. */
export interface InvalidationsOptions {
  client: RedisClient;
  /** Ours to use, not to close. */
  subscriber: RedisClient | undefined;
  channel: string;
  onKey: (key: string) => void;
  /** Messages may have been missed: nothing that is remembered can be trusted. */
  onGap: () => void;
}

/**
 * Subscribes at once (not with the first use, which would miss what comes before it) and again after every
 * reconnection. Pub/sub forgets who is not listening, so every gap is reported.
 */
export function createInvalidations(options: InvalidationsOptions): Invalidations {
  const { client, channel, onKey, onGap } = options;
  const subscriber = options.subscriber ?? duplicate(client);
  let isLive = false;
  let isClosed = false;
  let waiting: (() => void)[] = [];

  function setLive(): void {
    // What was remembered before the subscription took hold may be out of date already.
    onGap();
    isLive = true;
    for (const resolve of waiting) resolve();
    waiting = [];
  }
  function lose(): void {
    if (isLive) onGap();
    isLive = false;
  }
  const onReady = () =>
    void subscriber.subscribe(channel).then(setLive, () => {
      lose();
      // A connection that can't subscribe is of no use: a new one subscribes again.
      if (!isClosed && subscriber.status === 'ready') subscriber.disconnect(true);
    });
  const onMessage = (from: string, key: string) => {
    if (from === channel) onKey(key);
  };
  subscriber.on('ready', onReady).on('message', onMessage).on('close', lose).on('reconnecting', lose);
  // A cluster moves its subscription to another node without closing itself.
  if (subscriber instanceof Cluster) subscriber.on('-node', onGap).on('+node', onGap);
  if (subscriber.status === 'ready') onReady();

  return {
    isLive: () => isLive,
    ready: () => (isLive ? Promise.resolve() : new Promise((resolve) => void waiting.push(() => resolve()))),
    close() {
      isLive = false;
      isClosed = true;
      subscriber.off('ready', onReady).off('message', onMessage).off('close', lose).off('reconnecting', lose);
      if (!options.subscriber) subscriber.disconnect();
    },
  };
}

function duplicate(client: RedisClient): RedisClient {
  const copy =
    client instanceof Cluster ? client.duplicate() : client.duplicate({ enableOfflineQueue: false });
  // The connection it was copied from already reports the same outage.
  copy.on('error', () => undefined);
  return copy;
}
