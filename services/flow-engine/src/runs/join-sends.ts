import type { JobPayload, JobToAdd } from '@switchyard/jobs';

type SendJob = Extract<JobToAdd, { name: 'send-message' }>;
type JoinedMessage = JobPayload<'messages', 'send-messages'>['messages'][number];

/** Messages of one job: as many as campaign-sender takes of those that are recorded. */
const MOST = 20;

/**
 * Joins requests to send that are added at the same time, by merchant, lane and priority: what a job costs in Redis and in its worker is then
 * shared by up to twenty messages. Each stays a message of its own, by its id: asked for again, alone or with others, it is sent once.
 *
 * @returns all other jobs unchanged, and what stays alone as it was.
 */
export function joinSends(jobs: readonly JobToAdd[]): JobToAdd[] {
  return [...Map.groupBy(jobs, joinKey)].flatMap(([key, group]) => {
    if (key === undefined) return group;
    const joined: JobToAdd[] = [];
    for (let start = 0; start < group.length; start += MOST)
      joined.push(join(group.slice(start, start + MOST) as SendJob[]));
    return joined;
  });
}

/** What jobs must have in common to share one; undefined where one must stay alone. */
function joinKey({ name, payload, options = {} }: JobToAdd): string | undefined {
  if (name !== 'send-message') return undefined;
  const { merchantId, messageId, lane } = payload as SendJob['payload'];
  const { jobId = messageId, priority, ...others } = options;
  // Under another id, later or with a retention of its own: whoever asked for that has a reason.
  if (messageId === undefined || jobId !== messageId || Object.keys(others).length > 0) return undefined;
  return [merchantId, lane, priority].join(' ');
}

function join(group: readonly SendJob[]): JobToAdd {
  const [first] = group;
  if (group.length === 1) return first!;
  const { payload, options } = first!;
  return {
    queue: 'messages',
    name: 'send-messages',
    payload: { messages: group.map(messageOf) },
    ...(options?.priority === undefined ? {} : { options: { priority: options.priority } }),
    ...(payload.merchantId === undefined ? {} : { meta: { merchantId: payload.merchantId } }),
  };
}

function messageOf({ payload, meta: { merchantId: _, ...meta } = {} }: SendJob): JoinedMessage {
  const message = payload as JoinedMessage['message'];
  return Object.keys(meta).length === 0 ? { message } : { message, meta };
}
