import { defineError } from '@switchyard/errors';

/** No endpoint has this id, or it belongs to another merchant. */
export const endpointUnknown = defineError('ENDPOINT_UNKNOWN', 404, 'never');
/** The address of an endpoint can't be used: not HTTP(S), with credentials in it, or inside a private network. */
export const endpointUrlRefused = defineError('ENDPOINT_URL_REFUSED', 400, 'never');
/** A merchant has as many endpoints as are allowed. */
export const endpointLimitReached = defineError('ENDPOINT_LIMIT_REACHED', 409, 'never');
/** No delivery has this id, or it belongs to another merchant. */
export const deliveryUnknown = defineError('DELIVERY_UNKNOWN', 404, 'never');
/** The delivery is still being tried, or has arrived: there is nothing to retry. */
export const deliveryNotFailed = defineError('DELIVERY_NOT_FAILED', 409, 'never');
/** The endpoint did not take the delivery; another attempt may succeed. */
export const deliveryFailed = defineError('DELIVERY_FAILED', 502, 'retry');
/** An address or the subject of an email is none: not one mailbox, or more than one line. */
export const emailInvalid = defineError('EMAIL_INVALID', 400, 'never');
/** No email has this id, or it belongs to another merchant. */
export const emailUnknown = defineError('EMAIL_UNKNOWN', 404, 'never');
/** The email is still being tried, or has gone out: there is nothing to retry. */
export const emailNotFailed = defineError('EMAIL_NOT_FAILED', 409, 'never');
/** The SMTP server said no for good (5xx). */
export const emailRefused = defineError('EMAIL_REFUSED', 502, 'never');
/** The SMTP server did not take the email now (4xx, a connection that was lost); another attempt may succeed. */
export const emailDeferred = defineError('EMAIL_DEFERRED', 502, 'retry');
/** The SMTP server is away, or refuses our name and password. */
export const smtpAway = defineError('SMTP_AWAY', 503, 'later');
/** `SMTP_URL` and `EMAIL_FROM` are not set: no email can go out. Retry the failed ones once they are. */
export const emailsNotConfigured = defineError('EMAILS_NOT_CONFIGURED', 503, 'never');
