import { newTraceId } from './identifiers.ts';

/** An error as the Graph API answers it. */
export interface GraphError {
  readonly httpStatus: number;
  readonly code: number;
  readonly type: string;
  readonly message: string;
  readonly subcode?: number;
  readonly details?: string;
}

/** Code → HTTP status and title, from the provider's list. */
const catalog: Record<number, readonly [httpStatus: number, title: string]> = {
  0: [401, 'AuthException'],
  1: [400, 'An unknown error occurred'],
  2: [503, 'Service temporarily unavailable'],
  3: [500, 'Application does not have the capability to make this API call'],
  4: [400, 'Application request limit reached'],
  10: [403, 'Application does not have permission for this action'],
  33: [400, 'Parameter value is not valid'],
  100: [400, 'Invalid parameter'],
  190: [401, 'Invalid OAuth access token - Cannot parse access token'],
  200: [403, 'Permissions error'],
  368: [403, 'Temporarily blocked for policies violations'],
  80007: [400, 'Rate limit issues'],
  130403: [400, 'User is blocked'],
  130429: [400, 'Rate limit hit'],
  130472: [400, "User's number is part of an experiment"],
  130497: [403, 'Business account is restricted from messaging users in this country'],
  131000: [500, 'Something went wrong'],
  131005: [403, 'Access denied'],
  131008: [400, 'Required parameter is missing'],
  131009: [400, 'Parameter value is not valid'],
  131016: [500, 'Service unavailable'],
  131021: [400, 'Recipient cannot be sender'],
  131026: [400, 'Message undeliverable'],
  131031: [403, 'Business account has been locked'],
  131042: [400, 'Business eligibility payment issue'],
  131045: [500, 'Incorrect certificate'],
  131047: [400, 'Re-engagement message'],
  131048: [400, 'Spam rate limit hit'],
  131049: [400, 'This message was not delivered to maintain healthy ecosystem engagement'],
  131050: [400, 'User has stopped marketing messages'],
  131051: [400, 'Unsupported message type'],
  131052: [400, 'Media download error'],
  131053: [400, 'Media upload error'],
  131056: [400, '(Business Account, Consumer Account) pair rate limit hit'],
  131057: [500, 'Account in maintenance mode'],
  131062: [400, 'Business-scoped user ids are not allowed for this message'],
  131063: [400, 'Marketing messages are disabled on Cloud API'],
  131064: [400, 'Template classification enforcement'],
  132000: [400, 'Number of parameters does not match the expected number of params'],
  132001: [404, 'Template name does not exist in the translation'],
  132005: [400, 'Translated text too long'],
  132007: [400, 'Template format character policy violated'],
  132012: [400, 'Parameter format does not match format in the created template'],
  132015: [400, 'Template is paused'],
  132016: [400, 'Template is disabled'],
  132068: [400, 'Flow is blocked'],
  132069: [400, 'Flow is throttled'],
  133004: [503, 'Server temporarily unavailable'],
  133010: [400, 'Phone number not registered'],
  133016: [400, 'Account register deregister rate limit exceeded'],
  135000: [400, 'Generic user error'],
};

/** The title of a code, as error bodies and `failed` statuses carry it. */
export function titleOf(code: number): string {
  return catalog[code]?.[1] ?? 'Something went wrong';
}

/**
 * Builds the error of a code.
 *
 * @param details what `error_data.details` says.
 * @param message overrides the code's own text; the `(#code)` before it is added here.
 */
export function graphError(code: number, details?: string, message?: string): GraphError {
  const title = message ?? titleOf(code);
  return {
    httpStatus: catalog[code]?.[0] ?? 400,
    code,
    type: 'OAuthException',
    message: code === 190 ? title : `(#${code}) ${title}`,
    ...(details === undefined ? {} : { details }),
  };
}

/** The error of an object that does not exist, or that this token may not see. */
export function unknownObject(id: string): GraphError {
  return {
    httpStatus: 400,
    code: 100,
    subcode: 33,
    type: 'GraphMethodException',
    message: `Unsupported post request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api`,
  };
}

/** The JSON body of an error, with a fresh trace id. */
export function renderGraphError(error: GraphError): string {
  return JSON.stringify({
    error: {
      message: error.message,
      type: error.type,
      code: error.code,
      ...(error.details === undefined
        ? {}
        : { error_data: { messaging_product: 'whatsapp', details: error.details } }),
      ...(error.subcode === undefined ? {} : { error_subcode: error.subcode }),
      fbtrace_id: newTraceId(),
    },
  });
}
