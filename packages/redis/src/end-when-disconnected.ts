import type { Redis } from 'ioredis';

interface Internals {
  manuallyClosing: boolean;
  setStatus(status: 'end'): void;
  flushQueue(error: Error): void;
}

/**
 * Makes `disconnect()` end a client, and its duplicates, also while it waits to reconnect. ioredis 6.0.0 only stops its timer then: the
 * status stays "reconnecting", "end" is never emitted and waiting commands are never answered, so that whoever waits for either
 * hangs: BullMQ's `Worker.close()` does.
 *
 * @returns the same client.
 */
export function endWhenDisconnected(client: Redis): Redis {
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect = false) => {
    const isStuck = client.status === 'reconnecting' && !reconnect;
    disconnect(reconnect);
    if (!isStuck) return;
    const internals = client as unknown as Internals;
    internals.manuallyClosing = false;
    internals.setStatus('end');
    internals.flushQueue(new Error('Connection is closed.'));
  };
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (override) => endWhenDisconnected(duplicate(override));
  return client;
}
