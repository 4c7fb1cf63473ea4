import { defineError } from '@switchyard/errors';

/** No flow has this id, or it belongs to another merchant. */
export const flowUnknown = defineError('FLOW_UNKNOWN', 404, 'never');
/** The flow has no such version. */
export const flowVersionUnknown = defineError('FLOW_VERSION_UNKNOWN', 404, 'never');
/** The definition can't be run; `details.problems` names what and where. */
export const flowInvalid = defineError('FLOW_INVALID', 400, 'never');
/** There is no draft to publish. */
export const flowDraftMissing = defineError('FLOW_DRAFT_MISSING', 409, 'never');
/** A merchant has as many flows as are allowed. */
export const flowLimitReached = defineError('FLOW_LIMIT_REACHED', 409, 'never');
/** No run has this id, or it belongs to another merchant. */
export const runUnknown = defineError('RUN_UNKNOWN', 404, 'never');
/** The run has ended: there is nothing to cancel. */
export const runEnded = defineError('RUN_ENDED', 409, 'never');
/** Another process is advancing the conversation just now. */
export const conversationBusy = defineError('CONVERSATION_BUSY', 503, 'later');
/** The flow has no published version, or does not let the API start it (a trigger of kind `api`). */
export const flowNotStartable = defineError('FLOW_NOT_STARTABLE', 409, 'never');
/** What the flow is to be given is not what it declares; the message names the input. */
export const runInputInvalid = defineError('RUN_INPUT_INVALID', 400, 'never');
/** Whom the flow is to be started for is not said, or in more than one way. */
export const runTargetInvalid = defineError('RUN_TARGET_INVALID', 400, 'never');
/** The run has not failed at a node, so that there is none to try again. */
export const runNotRetryable = defineError('RUN_NOT_RETRYABLE', 409, 'never');
/** As many calls to the outside are under way as one process makes at a time; the job comes again. */
export const callsBusy = defineError('CALLS_BUSY', 503, 'later');
/** The host of a flow's HTTP request has not answered for some time, so nobody asks it for a while. */
export const httpHostFailing = defineError('HTTP_HOST_FAILING', 503, 'retry');
/** No AI provider has this id, or it belongs to another merchant. */
export const aiProviderUnknown = defineError('AI_PROVIDER_UNKNOWN', 404, 'never');
/** A merchant has as many AI providers as are allowed. */
export const aiProviderLimitReached = defineError('AI_PROVIDER_LIMIT_REACHED', 409, 'never');
/** What the environment sets, the API can't change: the next start would undo it. */
export const setByEnvironment = defineError('SET_BY_ENVIRONMENT', 409, 'never');
/** The address can't be used: not HTTP(S), with credentials in it, or inside a private network. */
export const credentialUrlRefused = defineError('CREDENTIAL_URL_REFUSED', 400, 'never');
/** The merchant has no AI provider that is turned on. */
export const aiNotConfigured = defineError('AI_NOT_CONFIGURED', 409, 'never');
/** No AI provider answered: away, too slow, or out of budget. Another attempt may succeed. */
export const aiUnavailable = defineError('AI_UNAVAILABLE', 502, 'retry');
/** Every AI provider refused the request: a wrong key, an unknown model, a request that it does not take. */
export const aiRefused = defineError('AI_REFUSED', 502, 'never');
/** What the AI answered is none: empty, cut off, too long, or not what the schema asks for, twice. */
export const aiAnswerInvalid = defineError('AI_ANSWER_INVALID', 502, 'never');
/** The schema of values to be read from a text can't be used: too large, or with keywords that are not supported. */
export const aiSchemaInvalid = defineError('AI_SCHEMA_INVALID', 400, 'never');
/** What the merchant may use up of AI today is used up; the flow's fallback runs. */
export const aiBudgetSpent = defineError('AI_BUDGET_SPENT', 429, 'never');
/** The merchant has no secret of this name. */
export const secretUnknown = defineError('SECRET_UNKNOWN', 404, 'never');
/** A merchant has as many secrets as are allowed. */
export const secretLimitReached = defineError('SECRET_LIMIT_REACHED', 409, 'never');
/** The voice message is gone from the store, is not the merchant's, or is longer than is transcribed. */
export const audioUnusable = defineError('AUDIO_UNUSABLE', 422, 'never');
/** There is no ready-made flow of this name; `details.names` lists those there are. */
export const readyMadeUnknown = defineError('READY_MADE_UNKNOWN', 404, 'never');
/** A setting of a ready-made flow is unknown or out of range; `details.problems` names which. */
export const flowSettingsInvalid = defineError('FLOW_SETTINGS_INVALID', 400, 'never');
/** No shop has this id, or it belongs to another merchant. */
export const shopUnknown = defineError('SHOP_UNKNOWN', 404, 'never');
/** The shop is connected already. */
export const shopExists = defineError('SHOP_EXISTS', 409, 'never');
/** The merchant has no such shop, or several and the node names none. */
export const shopNotConfigured = defineError('SHOP_NOT_CONFIGURED', 409, 'never');
/** Shopify no longer takes the shop's tokens: it must be connected again. */
export const shopUnauthorized = defineError('SHOP_UNAUTHORIZED', 409, 'never');
/** The shop's token is being refreshed, or can't be just now. */
export const shopTokenBusy = defineError('SHOP_TOKEN_BUSY', 503, 'retry');
/** The shop's budget of calls is spent for longer than is waited in place. */
export const shopThrottled = defineError('SHOP_THROTTLED', 503, 'retry');
/** The shop gave no answer, or 5xx; or it has failed for some time, so that nobody asks it for a while. */
export const shopAway = defineError('SHOP_AWAY', 502, 'retry');
/** The shop refused the query: a scope that the app has not, a search that it does not understand. */
export const shopRefused = defineError('SHOP_REFUSED', 502, 'never');
