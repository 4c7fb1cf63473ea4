import { defineError } from '@switchyard/errors';

/** The settings don't hold together. Effect: nothing changed. */
export const settingsInvalid = defineError('SIMULATOR_SETTINGS_INVALID', 400, 'never');

/** No business number has this id. Effect: nothing was sent. */
export const numberUnknown = defineError('SIMULATOR_NUMBER_UNKNOWN', 404, 'never');

/** A person was given neither a phone number nor a user id. Effect: nothing was sent. */
export const personMissing = defineError('SIMULATOR_PERSON_MISSING', 400, 'never');

/** What was waited for did not happen in time. */
export const waitTimedOut = defineError('SIMULATOR_WAIT_TIMED_OUT', 504, 'retry');
