import { until } from '@switchyard/test-kit';
import type { EventReceiver } from './receive-events.ts';
import type { System } from './start-system.ts';

/** Registers a merchant's endpoint, and waits until every process that makes events knows that somebody wants them. */
export async function subscribe(
  system: System,
  receiver: EventReceiver,
  eventTypes?: readonly string[],
): Promise<string> {
  const { secret } = await system.api<{ secret: string }>('notifier', '/api/v1/endpoints', {
    url: receiver.url,
    ...(eventTypes === undefined ? {} : { eventTypes }),
  });
  receiver.secret = secret;
  for (const { url } of system.replicasOf('campaign-sender'))
    await until(
      async () => /^switchyard_event_subscribers\S* 1$/m.test(await (await fetch(`${url}/metrics`)).text()),
      { timeoutMs: 60_000, what: 'campaign-sender knows that the endpoint wants events' },
    );
  return secret;
}
