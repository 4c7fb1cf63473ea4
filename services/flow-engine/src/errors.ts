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
