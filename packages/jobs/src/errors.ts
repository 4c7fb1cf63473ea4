import { defineError } from '@switchyard/errors';

/** A payload does not fit its job's schema. `details.field` names the field. Met by producers (400) and by workers. */
export const payloadInvalid = defineError('PAYLOAD_INVALID', 400, 'never');

/** No job of this name is in the catalog, or the worker has no processor for it. */
export const jobUnknown = defineError('JOB_UNKNOWN', 400, 'never');

/** A job id that BullMQ would refuse or misread: empty, all digits, or with a `:`. */
export const jobIdInvalid = defineError('JOB_ID_INVALID', 400, 'never');

/** The queue's Redis did not take the job. It may still have arrived: only a job id makes another try harmless. */
export const queueAway = defineError('QUEUE_AWAY', 503, 'later');

/** A typed queue was used before `connectQueues`. */
export const queuesNotConnected = defineError('QUEUES_NOT_CONNECTED', 500, 'never');

/** `connectQueues` was called twice. */
export const queuesAlreadyConnected = defineError('QUEUES_ALREADY_CONNECTED', 500, 'never');

/** An attempt took longer than its queue allows. */
export const jobTimedOut = defineError('JOB_TIMED_OUT', 504, 'retry');

/** The worker is closing; the job goes back to its queue. */
export const jobAborted = defineError('JOB_ABORTED', 503, 'later');

/** The job's lock expired (a blocked event loop, a long outage): another worker may have it. */
export const jobLockLost = defineError('JOB_LOCK_LOST', 503, 'later');

/** The job took its worker down with it too often. */
export const jobStalled = defineError('JOB_STALLED', 500, 'never');

/** A final failure could not be written to the owner's failed jobs, so the job stays in its queue. */
export const failedJobsAway = defineError('FAILED_JOBS_AWAY', 503, 'later');

/** A job's result did not come in time, or the job failed. */
export const jobResultMissing = defineError('JOB_RESULT_MISSING', 504, 'retry');
