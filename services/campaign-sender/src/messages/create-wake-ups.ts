import type { JobMeta, JobToAdd } from '@switchyard/jobs';

/** A message that is recorded and may go. */
export interface WantedMessage {
  id: string;
  merchantId: string;
  /** How often it has been handed out, this time included; 0 for the first time. */
  turn: number;
  /** Of its lane. */
  priority: number;
}

/** Makes the jobs that deliver messages. Those of one number should stand together: what hangs then holds few jobs. */
export type WakeUps = (messages: readonly WantedMessage[], meta?: JobMeta) => JobToAdd[];

/** Messages that one job delivers: what a job costs in Redis and in its worker is shared by so many. */
export const MESSAGES_PER_JOB = 20;

/** Makes the maker of jobs: one job for up to so many messages of a merchant and lane. */
export function createWakeUps(most = MESSAGES_PER_JOB): WakeUps {
  return (messages, meta = {}) => {
    const alike = Map.groupBy(messages, ({ merchantId, priority }) => `${priority} ${merchantId}`);
    return [...alike.values()].flatMap((group) => {
      const jobs: JobToAdd[] = [];
      for (let start = 0; start < group.length; start += most)
        jobs.push(wakeUp(group.slice(start, start + most), meta));
      return jobs;
    });
  };
}

function wakeUp(messages: readonly WantedMessage[], meta: JobMeta): JobToAdd {
  const { merchantId, priority } = messages[0]!;
  return {
    queue: 'messages',
    name: 'deliver-messages',
    payload: { merchantId, messages: messages.map(({ id, turn }) => ({ messageId: id, turn })) },
    options: { priority },
    meta: { ...meta, merchantId },
  };
}
