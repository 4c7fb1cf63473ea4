import { defineError } from '@switchyard/errors';

/** The address is not HTTP(S), holds a password, or leads into a private network, by itself, by name or by a redirect. */
export const addressRefused = defineError('ADDRESS_REFUSED', 400, 'never');
/** A header that is malformed, or that belongs to the connection and not to the request. */
export const headerRefused = defineError('HEADER_REFUSED', 400, 'never');
/** Too many redirects, or one from https to http. */
export const redirectRefused = defineError('REDIRECT_REFUSED', 502, 'never');
/** No answer: the name is unknown, the connection refused, or cut before the answer was complete. */
export const requestFailed = defineError('REQUEST_FAILED', 502, 'retry');
/** The answer was not complete in time. */
export const answerTimedOut = defineError('ANSWER_TIMED_OUT', 504, 'retry');
/** The answer is longer than is read. */
export const responseTooLarge = defineError('RESPONSE_TOO_LARGE', 502, 'never');
/** The answer is compressed, though nobody asked for that. */
export const responseEncoded = defineError('RESPONSE_ENCODED', 502, 'never');
