import { defineError } from '@switchyard/errors';

/** No message, contact, sender or suppression of this merchant has this id. */
export const recordUnknown = defineError('RECORD_UNKNOWN', 404, 'never');
/** The request to send can't be fulfilled: `details` names the message's position and the field. */
export const messageInvalid = defineError('MESSAGE_INVALID', 422, 'never');
/** The same Idempotency-Key came with another request. */
export const idempotencyKeyReused = defineError('IDEMPOTENCY_KEY_REUSED', 409, 'never');
/** The message has left, or its end is decided. */
export const messageNotCancellable = defineError('MESSAGE_NOT_CANCELLABLE', 409, 'never');
/** The number is known already. */
export const senderExists = defineError('SENDER_EXISTS', 409, 'never');
/** The cursor is not one that this list has returned. */
export const cursorInvalid = defineError('CURSOR_INVALID', 400, 'never');
/** The process is stopping; the job goes back to the queue. */
export const interrupted = defineError('SENDING_INTERRUPTED', 503, 'later');
/** The queue Redis does not answer, so nobody knows whether a message may go now. */
export const admissionAway = defineError('ADMISSION_AWAY', 503, 'later');
/** What was given as an address is neither a phone number in international form nor a user id; `details` names the field. */
export const addressInvalid = defineError('ADDRESS_INVALID', 422, 'never');
/** What was given of a contact can't be; `details` names the field. */
export const contactInvalid = defineError('CONTACT_INVALID', 422, 'never');
/** An identifier belongs to another contact; `details` names the field and the contact. Merge the two where they are one person. */
export const identifierTaken = defineError('IDENTIFIER_TAKEN', 409, 'never');
/** The person has no address that messages can be sent to. */
export const contactUnreachable = defineError('CONTACT_UNREACHABLE', 422, 'never');
/** The file has not been fetched yet; ask again in a few seconds. */
export const mediaPending = defineError('MEDIA_PENDING', 409, 'later');
/** The file could not be fetched, or is no longer kept; `details` says why. */
export const mediaUnavailable = defineError('MEDIA_UNAVAILABLE', 410, 'never');
/** No kind of message takes files of this type. */
export const mediaKindUnsupported = defineError('MEDIA_KIND_UNSUPPORTED', 415, 'never');
/** The file is larger than its kind of message may be. */
export const mediaTooLarge = defineError('MEDIA_TOO_LARGE', 413, 'never');
/** The file has no bytes. */
export const mediaEmpty = defineError('MEDIA_EMPTY', 422, 'never');
/** The provider refused a call besides sending; `details` has its code and its words. */
export const providerRefused = defineError('PROVIDER_REFUSED', 502, 'never');
/** The provider does not answer, or nothing that can be read. */
export const providerAway = defineError('PROVIDER_AWAY', 503, 'later');
