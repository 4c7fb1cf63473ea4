import type { Call, CallResult } from '../execution/call.ts';
import type { ScriptedAnswer } from './script.ts';

/** Answers a simulated flow's calls. */
export type AnswerCall = (call: Call) => CallResult;

/** Answers calls from a script, in its order. A call that nothing fits fails, as one to an outside that is away does. */
export function createAnswerCall(answers: readonly ScriptedAnswer[]): AnswerCall {
  const left = answers.map((answer) => ({ answer, times: answer.times ?? Number.POSITIVE_INFINITY }));
  return (call) => {
    const hit = left.find(
      ({ answer, times }) => times > 0 && answer.call === call.kind && contains(call, answer.where ?? {}),
    );
    if (!hit)
      return {
        ok: false,
        code: 'NOT_SCRIPTED',
        message: `the script has no answer for this ${call.kind} call`,
      };
    hit.times -= 1;
    const { value = {}, error } = hit.answer;
    return error === undefined
      ? { ok: true, value }
      : { ok: false, code: error, message: `the script lets this ${call.kind} call fail` };
  };
}

/** Whether a value has all that another one has. */
export function contains(value: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return Object.is(value, part);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(part))
    return (
      Array.isArray(value) &&
      value.length === part.length &&
      part.every((each, index) => contains(value[index], each))
    );
  return Object.entries(part).every(
    ([key, each]) => Object.hasOwn(value, key) && contains((value as Record<string, unknown>)[key], each),
  );
}
