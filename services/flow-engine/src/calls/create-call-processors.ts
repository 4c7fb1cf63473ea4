import { isCodedError } from '@switchyard/errors';
import type { Call, CallResult } from '@switchyard/flows';
import type { JobPayload, Processor, ProcessorContext, Processors } from '@switchyard/jobs';
import { toInboxRow } from '../conversations/create-inbox.ts';
import type { TakeIn } from '../conversations/create-intake.ts';
import type { CallContext, CallExecutors } from './call.ts';

/** More than a flow can use; it would be copied into the run's journal. */
const RESULT_MOST_CHARACTERS = 256_000;

type Asked = Omit<JobPayload<'flows', 'execute-call'>, 'call'>;

/** What {@link createCallProcessors} needs. */
export interface CallProcessorParts {
  executors: CallExecutors;
  takeIn: TakeIn;
  /** Whether the run still waits for the call: it may have been cancelled, or have gone its error branch. */
  isWaiting: (runId: string, waitId: string) => Promise<boolean>;
}

/** Processors for every job that asks the outside for a run. */
export interface CallProcessors {
  'execute-call': Processor<JobPayload<'flows', 'execute-call'>>;
  ai: Required<Processors<'ai'>>;
}

/**
 * Makes the processors of calls: each asks under the run's and the step's id, and hands the result to the run's conversation, where it
 * is an input like any other.
 *
 * Dies before the call: it is tried again. Dies after it: it is made again under the same id. Twice is harmless: the run takes the
 * first result, and a run that waits no longer is not asked for.
 */
export function createCallProcessors(parts: CallProcessorParts): CallProcessors {
  const { executors, takeIn, isWaiting } = parts;

  async function carryOut(asked: Asked, call: Call, context: ProcessorContext): Promise<{ ok: boolean }> {
    const { merchantId, requestId, runId, waitId, contactId } = asked;
    if (!(await isWaiting(runId, waitId))) return { ok: false };
    const { attempt, maxAttempts } = context.job;
    const { signal, logger } = context;
    const result = await execute(
      executors,
      call,
      { merchantId, requestId, contactId, attempt, maxAttempts, signal },
      (error) => logger.warn({ err: error, runId, call: call.kind }, 'a call of a run failed'),
    );
    const payload = { merchantId, runId, contactId, waitId, reason: 'call' as const, result };
    await takeIn(
      toInboxRow('timer', { merchantId, contactId }, { key: `${runId}_${waitId}`, sequence: 0, payload }),
      signal,
    );
    return { ok: result.ok };
  }

  return {
    'execute-call': ({ call, ...asked }, context) => carryOut(asked, call, context),
    ai: {
      'generate-reply': (payload, context) => {
        const { messages, instructions, model, maxTokens, temperature } = payload;
        const call = { messages, ...defined({ instructions, model, maxTokens, temperature }) };
        return carryOut(payload, { kind: 'ai-reply', ...call }, context);
      },
      'classify-text': (payload, context) => {
        const { text, labels, schema, instructions, model } = payload;
        const call = { text, ...defined({ labels, schema, instructions, model }) };
        return carryOut(payload, { kind: 'ai-classify', ...call }, context);
      },
      'transcribe-audio': (payload, context) => {
        const { audio, language, model } = payload;
        const call = { audio, ...defined({ language, model }) };
        return carryOut(payload, { kind: 'transcribe', ...call }, context);
      },
    },
  };
}

/** @throws what may be better at another attempt, while there is one. */
async function execute(
  executors: CallExecutors,
  call: Call,
  context: CallContext,
  warn: (error: unknown) => void,
): Promise<CallResult> {
  const executor = executors[call.kind] as
    | ((call: Call, context: CallContext) => Promise<CallResult>)
    | undefined;
  if (!executor)
    return { ok: false, code: 'CALL_NOT_POSSIBLE', message: `this installation makes no ${call.kind} calls` };
  try {
    const result = await executor(call, context);
    if (JSON.stringify(result).length <= RESULT_MOST_CHARACTERS) return result;
    return { ok: false, code: 'CALL_RESULT_TOO_LARGE', message: 'the answer is too large for a flow' };
  } catch (error) {
    const outcome = isCodedError(error) ? error.outcome : 'retry';
    // A shutdown is no fault of the call: the job is taken up again.
    if (outcome === 'later') throw error;
    if (outcome === 'retry' && context.attempt < context.maxAttempts) throw error;
    warn(error);
    return {
      ok: false,
      code: isCodedError(error) ? error.code : 'CALL_FAILED',
      message: isCodedError(error) ? error.message : 'the call failed',
    };
  }
}

/** Without the fields that are undefined. */
function defined<T extends Record<string, unknown>>(
  fields: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
