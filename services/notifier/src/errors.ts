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
