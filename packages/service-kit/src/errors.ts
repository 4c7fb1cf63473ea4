import { defineError } from '@switchyard/errors';

/** The request doesn't fit the route's schema. `details.fields` names what is wrong where. */
export const validationFailed = defineError('VALIDATION_FAILED', 400, 'never');
/** The body isn't what its content type says. */
export const bodyMalformed = defineError('BODY_MALFORMED', 400, 'never');
/** The request can't be read as HTTP, or not by this route. */
export const requestMalformed = defineError('REQUEST_MALFORMED', 400, 'never');
/** No token or key was sent, or one that isn't valid. */
export const unauthenticated = defineError('UNAUTHENTICATED', 401, 'never');
/** The token was valid once; exchange the API key for a new one. */
export const tokenExpired = defineError('TOKEN_EXPIRED', 401, 'never');
/** The caller lacks the scope that `details.scope` names. */
export const scopeMissing = defineError('SCOPE_MISSING', 403, 'never');
/** Only a caller with the scope `admin` may act for another merchant. */
export const merchantForbidden = defineError('MERCHANT_FORBIDDEN', 403, 'never');
/** No route answers to this method and path. */
export const routeUnknown = defineError('ROUTE_UNKNOWN', 404, 'never');
/** The client took too long to send its request. */
export const requestTimedOut = defineError('REQUEST_TIMED_OUT', 408, 'retry');
/** The body is larger than `HTTP_BODY_LIMIT_BYTES` or the route's own limit. */
export const bodyTooLarge = defineError('BODY_TOO_LARGE', 413, 'never');
/** The route doesn't take this content type. */
export const mediaTypeUnsupported = defineError('MEDIA_TYPE_UNSUPPORTED', 415, 'never');
/** Too many calls, or too many refused ones. `Retry-After` says when to come back. */
export const rateLimited = defineError('RATE_LIMITED', 429, 'later');
/** The headers are larger than Node.js reads. */
export const headersTooLarge = defineError('HEADERS_TOO_LARGE', 431, 'never');
/** Something broke on our side. The request id finds the cause in the log. */
export const internalError = defineError('INTERNAL_ERROR', 500, 'retry');
/** The process has more work than it can do in time. */
export const overloaded = defineError('OVERLOADED', 503, 'later');
/** The process is stopping; another will answer. */
export const shuttingDown = defineError('SHUTTING_DOWN', 503, 'later');
