import type { AcceptedMessage, Simulator } from '@switchyard/simulator';
import { until } from '@switchyard/test-kit';

interface Button {
  id: string;
  title: string;
}

interface Payload {
  text?: { body?: string };
  interactive?: { body?: { text?: string }; action?: { buttons?: { reply: Button }[] } };
}

/** What a person reads of a message. */
export function textOf({ payload }: Pick<AcceptedMessage, 'payload'>): string {
  const { text, interactive } = payload as Payload;
  return text?.body ?? interactive?.body?.text ?? '(no text)';
}

/** Everything that one person got, in the order of acceptance. */
export function transcriptOf(simulator: Simulator, phone: string): string[] {
  return simulator.accepted({ to: phone }).map(textOf);
}

/**
 * One person's whole conversation with the welcome flow: hello, question, answer, reply.
 *
 * @returns what they read, and how long the question took to come, in milliseconds.
 * @throws Error when a reply does not come in time.
 */
export async function converse(
  simulator: Simulator,
  phone: string,
  timeoutMs = 15_000,
): Promise<{ transcript: string[]; questionMs: number }> {
  const startedAt = performance.now();
  simulator.inject({ from: phone, name: 'Ada', text: 'hello' });
  const question = await nthMessage(simulator, phone, 1, timeoutMs);
  const questionMs = performance.now() - startedAt;
  answer(simulator, phone, question);
  await nthMessage(simulator, phone, 2, timeoutMs);
  return { transcript: transcriptOf(simulator, phone), questionMs };
}

/** Says what the first button of a question says. */
export function answer(simulator: Simulator, phone: string, question: AcceptedMessage): void {
  const reply = (question.payload as Payload).interactive?.action?.buttons?.[0]?.reply;
  simulator.inject({
    from: phone,
    name: 'Ada',
    ...(reply ? { buttonReply: reply } : { text: 'My order' }),
  });
}

/** @throws Error when the message has not come in time. */
export function nthMessage(
  simulator: Simulator,
  phone: string,
  count: number,
  timeoutMs: number,
): Promise<AcceptedMessage> {
  return until(() => simulator.accepted({ to: phone })[count - 1], {
    timeoutMs,
    intervalMs: 25,
    what: `message ${count} to ${phone}`,
  });
}
