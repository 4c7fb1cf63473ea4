import type { QueueCounts } from '@switchyard/jobs';

/** What is wrong with a queue. */
export type QueueProblem = 'paused' | 'waiting-too-long' | 'no-workers';

/** All queues together. */
export type QueueStatus = 'healthy' | 'degraded' | 'unhealthy';

/**
 * Says what is wrong with a queue; nothing is when the list is empty.
 *
 * - `paused`: an operator holds it.
 * - `waiting-too-long`: its oldest job has been due for longer than the limit.
 * - `no-workers`: jobs wait and nobody listens. Not said where Redis hides its clients.
 *
 * A failed job is no problem of the queue: its owner lists it.
 */
export function judgeQueue(
  figures: Pick<QueueCounts, 'waiting' | 'isPaused'> & {
    oldestWaitingMs: number | undefined;
    workers: number | undefined;
  },
  limitMs: number,
): QueueProblem[] {
  const { isPaused, waiting, oldestWaitingMs = 0, workers } = figures;
  const problems: QueueProblem[] = [];
  if (isPaused) problems.push('paused');
  if (oldestWaitingMs > limitMs) problems.push('waiting-too-long');
  if (waiting > 0 && workers === 0) problems.push('no-workers');
  return problems;
}
