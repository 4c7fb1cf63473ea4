import type { Cluster, Redis } from 'ioredis';

/** A client whose commands can be measured. */
export type RedisToInstrument = Redis | Cluster;

/** Commands that wait on purpose: their time says nothing of Redis. */
const blocking = new Set([
  'blmove',
  'blmpop',
  'blpop',
  'brpop',
  'brpoplpush',
  'bzmpop',
  'bzpopmax',
  'bzpopmin',
  'psubscribe',
  'ssubscribe',
  'subscribe',
  'wait',
  'xread',
  'xreadgroup',
]);

/**
 * Reports the round trip of every command that a client sends, pipelines' included.
 *
 * @param observe called with `ok` or `error` and seconds. Time in ioredis' own offline queue counts: the caller waits
 * for it.
 */
export function instrumentRedis(
  client: RedisToInstrument,
  observe: (outcome: 'ok' | 'error', seconds: number) => void,
): void {
  const send = client.sendCommand;
  // A method of the instance shadows the prototype's; every path in ioredis sends through `this.sendCommand`.
  client.sendCommand = function measured(this: unknown, ...args: Parameters<typeof send>) {
    const [command] = args;
    const result: unknown = Reflect.apply(send, this, args);
    if (blocking.has(command.name)) return result;
    const startedMs = performance.now();
    command.promise.then(
      () => observe('ok', (performance.now() - startedMs) / 1_000),
      () => observe('error', (performance.now() - startedMs) / 1_000),
    );
    return result;
  } as typeof send;
}
