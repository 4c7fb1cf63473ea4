import { defineError } from '@switchyard/errors';

/** The signature header is missing, malformed or made with a secret of no app we know. */
export const signatureInvalid = defineError('SIGNATURE_INVALID', 401, 'never');
/** Correctly signed, but by another app than the one the number belongs to. Nothing of the payload is taken. */
export const sourceOfAnotherApp = defineError('SOURCE_OF_ANOTHER_APP', 403, 'never');
/** The verify token of a webhook's subscription is none of ours. */
export const verifyTokenInvalid = defineError('VERIFY_TOKEN_INVALID', 403, 'never');
/** Signed, but no webhook payload. It is kept among the unrouted events all the same. */
export const payloadMalformed = defineError('PAYLOAD_MALFORMED', 400, 'never');
/** A compressed body: the signature covers raw bytes, and no provider compresses. */
export const encodingUnsupported = defineError('ENCODING_UNSUPPORTED', 415, 'never');

/** The queue Redis is dead, hung or too slow. The provider tries again. */
export const queueUnavailable = defineError('QUEUE_UNAVAILABLE', 503, 'later');
/** The queue Redis is near its memory limit. The provider tries again. */
export const queueFull = defineError('QUEUE_FULL', 503, 'later');
/** Too many bytes of webhook bodies at once, or too many hashed in vain with the secrets of many apps. The provider tries again. */
export const intakeBusy = defineError('INTAKE_BUSY', 503, 'later');

/** No merchant has this id. */
export const merchantUnknown = defineError('MERCHANT_UNKNOWN', 404, 'never');
/** No app of this id is there for the caller. */
export const appUnknown = defineError('APP_UNKNOWN', 404, 'never');
/** No source of this id is there for the caller. */
export const sourceUnknown = defineError('SOURCE_UNKNOWN', 404, 'never');
/** No API key of this id is there for the caller. */
export const apiKeyUnknown = defineError('API_KEY_UNKNOWN', 404, 'never');
/** No unrouted event has this id. */
export const unroutedEventUnknown = defineError('UNROUTED_EVENT_UNKNOWN', 404, 'never');
/** Nobody of this number has a session: none was begun, or it was not used for six hours. */
export const sessionUnknown = defineError('SESSION_UNKNOWN', 404, 'never');
/** The number, shop, account or id is in use already. */
export const sourceTaken = defineError('SOURCE_TAKEN', 409, 'never');
/** A merchant of this id is there already. */
export const merchantTaken = defineError('MERCHANT_TAKEN', 409, 'never');
/** A number belongs to an app at Meta, a shop to one at Shopify. */
export const appOfAnotherKind = defineError('APP_OF_ANOTHER_KIND', 409, 'never');
/** What the environment sets, the API can't change: the next start would undo it. */
export const managedByEnvironment = defineError('MANAGED_BY_ENVIRONMENT', 409, 'never');
/** A replayed event still has no source to go to. */
export const stillUnrouted = defineError('STILL_UNROUTED', 409, 'never');
/** The API key is unknown or revoked. */
export const apiKeyInvalid = defineError('API_KEY_INVALID', 401, 'never');
/** A key can't be given a scope that its maker does not have. */
export const scopeNotHeld = defineError('SCOPE_NOT_HELD', 403, 'never');
/** The service signs no tokens: it was started without a signing key. */
export const tokensDisabled = defineError('TOKENS_DISABLED', 503, 'never');
/** Events of this kind can't be taken in again. */
export const replayUnsupported = defineError('REPLAY_UNSUPPORTED', 409, 'never');
/** A secret that its scheme can't use. */
export const secretMalformed = defineError('SECRET_MALFORMED', 400, 'never');
/** Sources belong to the app. */
export const appInUse = defineError('APP_IN_USE', 409, 'never');
/** A range that is empty, or older than consumers remember. */
export const replayRangeInvalid = defineError('REPLAY_RANGE_INVALID', 400, 'never');
/** No replay has this id. */
export const replayUnknown = defineError('REPLAY_UNKNOWN', 404, 'never');
/** No request for a person's data of this id is there for the caller. */
export const dataRequestUnknown = defineError('DATA_REQUEST_UNKNOWN', 404, 'never');
