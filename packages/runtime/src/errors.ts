import { defineError } from '@switchyard/errors';

/** Jobs wait and this process does not get on with them; it ends, so that a fresh one takes over. */
export const workersStuck = defineError('WORKERS_STUCK', 503, 'later');
