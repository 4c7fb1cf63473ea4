import { defineError } from '@switchyard/errors';

/** No failed job has this id, or it is another merchant's. */
export const failedJobUnknown = defineError('FAILED_JOB_UNKNOWN', 404, 'never');

/** Someone has retried it already; should it fail again, that is an entry of its own. */
export const failedJobRetried = defineError('FAILED_JOB_RETRIED', 409, 'never');

/** Its data can't be read as a job of the catalog, so it can only be looked at and dropped. */
export const failedJobUnreadable = defineError('FAILED_JOB_UNREADABLE', 409, 'never');

/** A mistake in our code: a job was enqueued after its transaction's work had ended, and would be lost. */
export const enqueuedTooLate = defineError('ENQUEUED_TOO_LATE', 500, 'never');
