import Type, { type Static } from 'typebox';
import { createFaultList, type FaultList, type FaultTiming, faultSchema } from '../fault-list.ts';
import type { Random } from '../random.ts';
import { createRing } from '../ring.ts';
import { answerBySchema } from './answer-by-schema.ts';

const faultKinds = [
  ...['hang', 'cut', 'babble', 'nonsense', 'empty', 'cut-off', 'status', 'slow'],
  ...['refuse-schema', 'refuse-format'],
] as const;
type FaultKind = (typeof faultKinds)[number];

/**
 * What may go wrong: `hang` (no answer), `cut` (the connection ends), `babble` (an answer without an end), `nonsense` (no JSON),
 * `empty` (no text), `cut-off` (ends in the middle), `status`, `slow`, `refuse-schema` (JSON that is not what was asked for),
 * `refuse-format` (400 to a response format). `match` looks at the last message.
 */
export const AiFaultInput = faultSchema(faultKinds, {
  status: Type.Optional(Type.Integer({ minimum: 400, maximum: 599 })),
  delayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 600_000 })),
});
export interface AiFault extends FaultTiming {
  kind: FaultKind;
  status?: number | undefined;
  delayMs?: number | undefined;
}

/** What is answered to messages that contain a text; of several, the newest counts. */
export const ScriptedReply = Type.Object(
  { match: Type.String(), reply: Type.String({ minLength: 1 }) },
  { additionalProperties: false },
);
export type ScriptedReply = Static<typeof ScriptedReply>;

/** One request that came. */
export interface AiRequestSeen {
  sequence: number;
  atMs: number;
  kind: 'chat' | 'transcription';
  model: string;
  /** The whole body of a chat; of a transcription, the size and type of its file. */
  body: Record<string, unknown>;
}

/** A message as the protocol has it. */
export interface ChatMessage {
  role: string;
  content: unknown;
}

/** A model that answers at once, always the same. */
export interface SimulatedAi {
  readonly apiKey: string;
  readonly faults: FaultList<AiFault>;
  readonly replies: ScriptedReply[];
  /** The kept requests (1,000), oldest first. */
  requests(): AiRequestSeen[];
  note(kind: AiRequestSeen['kind'], model: string, body: Record<string, unknown>): void;
  /** The answer's text to a conversation. */
  reply(messages: readonly ChatMessage[], schema: Record<string, unknown> | undefined): string;
  reset(): void;
}

/** Makes the model. */
export function createSimulatedAi(options: { apiKey: string; random: Random }): SimulatedAi {
  const seen = createRing<AiRequestSeen>(1000);
  const faults = createFaultList<AiFault>(options.random);
  const replies: ScriptedReply[] = [];
  return {
    apiKey: options.apiKey,
    faults,
    replies,
    requests: () => seen.values(),
    note: (kind, model, body) => seen.push({ sequence: seen.total + 1, atMs: Date.now(), kind, model, body }),
    reply(messages, schema) {
      const text = textOf(messages.findLast(({ role }) => role === 'user')?.content);
      const scripted = replies.findLast(({ match }) => text.includes(match));
      if (scripted) return scripted.reply;
      return schema === undefined
        ? `You said: “${text.slice(0, 200)}”`
        : JSON.stringify(answerBySchema(schema, text));
    },
    reset() {
      seen.clear();
      faults.remove();
      replies.length = 0;
    },
  };
}

/** Content is text, or a list of parts. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => (part as { text?: string }).text ?? '').join('\n');
}
