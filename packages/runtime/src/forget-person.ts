import {
  catalog,
  createPersonFinder,
  type PersonIdentifier,
  type Producer,
  queueNames,
  type ServiceName,
} from '@switchyard/jobs';
import type { FailedJobs } from '@switchyard/outbox';

/**
 * Forgets what a service's queues still have of a merchant's customer: the failed jobs it keeps, and the last completed ones. For the
 * erasure of a person; twice is harmless.
 *
 * @returns how many failed jobs were changed or forgotten. @throws QUEUE_AWAY
 */
export type ForgetPerson = (merchantId: string, identifiers: readonly PersonIdentifier[]) => Promise<number>;

/** Makes the {@link ForgetPerson} of a service. */
export function createForgetPerson(deps: {
  service: ServiceName;
  producer: Pick<Producer, 'forgetCompleted'>;
  failedJobs: Pick<FailedJobs, 'forgetPerson'>;
}): ForgetPerson {
  const { service, producer, failedJobs } = deps;
  const queues = queueNames.filter((queue) => catalog[queue].consumer === service);
  return async (merchantId, identifiers) => {
    const isNamed = createPersonFinder(identifiers);
    const isMeant = (text: string) => text.includes(JSON.stringify(merchantId)) && isNamed(text);
    for (const queue of queues) await producer.forgetCompleted(queue, isMeant);
    return failedJobs.forgetPerson(merchantId, identifiers);
  };
}
