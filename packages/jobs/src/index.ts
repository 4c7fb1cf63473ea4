export { catalog, type JobName, type JobPayload, type QueueName, queueNames } from './catalog.ts';
export { connectQueues, type QueueConnection } from './connect-queues.ts';
export { inheritMeta, withMeta, withoutMeta } from './current-meta.ts';
export type { JobDefinition, QueueDefinition, ServiceName } from './define-queue.ts';
export type { Probe } from './dependency-pause.ts';
export * from './errors.ts';
export { toJobId } from './job-id.ts';
export type {
  AddOptions,
  AttemptOutcome,
  FailedJobEntry,
  FailedJobsSink,
  JobMeta,
  JobObserver,
  JobToAdd,
  ProcessedJob,
  Processor,
  ProcessorContext,
  Processors,
  RedisClient,
} from './job-types.ts';
export { matchesEventType } from './matches-event-type.ts';
export { createPersonFinder, needleOf, type PersonIdentifier, withoutPerson } from './mentions-person.ts';
export { checkPayload } from './payload-check.ts';
export { createProducer, type Producer, type ProducerOptions } from './producer.ts';
export {
  type OldestWaiting,
  type QueueCounts,
  readOldestWaiting,
  readQueueCounts,
} from './queue-counts.ts';
export type { QueueLink } from './queue-link.ts';
export {
  type QueueOverride,
  type QueueOverrides,
  queueFields,
  resolveQueueOverrides,
} from './queue-overrides.ts';
export { defaultOverrides, type QueueSettings, settingsOf } from './queue-settings.ts';
export * from './queues.ts';
export type { QueueAddOptions, QueuedJob, TypedQueue } from './typed-queue.ts';
export { createWorker } from './worker.ts';
export type { JobWorker, WorkerOptions } from './worker-options.ts';
