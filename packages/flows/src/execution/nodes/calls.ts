import { templatesOf } from '../../definitions/checks/templates.ts';
import type { NodeOf } from '../../definitions/definition.ts';
import { type Behaviours, NodeError, type StepContext, type Wake } from '../behaviour.ts';
import type { CallResult, CallValues } from '../call.ts';
import { follow } from '../look-up.ts';
import { shorten } from '../render-text.ts';
import type { Value } from '../run-state.ts';
import { createStandIns, type StandIns } from '../stand-ins.ts';

const HTTP_SECONDS = 10;
const SHOPIFY_SECONDS = 60;
const AI_SECONDS = 90;
/** On top of the time that an endpoint has: the request may have to wait for its turn, or be tried again. */
const QUEUE_SECONDS = 30;
const HISTORY_TOKENS = 2000;
const TEXT_MOST = 16_384;
const REPLY_MOST = 4096;

/** Nodes that ask the outside, and go on with its answer. */
export const callNodes: Behaviours<
  'http-request' | 'ai-reply' | 'ai-classify' | 'ai-extract' | 'transcribe' | 'shopify-lookup'
> = {
  'http-request': {
    execute(node, step) {
      const seconds = node.timeoutSeconds ?? HTTP_SECONDS;
      const templates = templatesOf(node).map(({ template }) => template);
      const standIns = createStandIns(templates, step.scope);
      const secrets = standIns?.scope;
      return {
        call: {
          kind: 'http',
          method: node.method ?? 'GET',
          url: step.render(node.url, 8192, secrets).trim(),
          ...(node.headers === undefined ? {} : { headers: renderHeaders(node.headers, step, secrets) }),
          ...(node.body === undefined ? {} : { body: step.render(node.body, TEXT_MOST, secrets) }),
          ...(node.json === undefined ? {} : { json: step.renderJson(node.json, secrets) }),
          timeoutMs: seconds * 1000,
          ...(standIns === undefined ? {} : { secrets: standIns.names }),
        },
        untilMs: step.atMs + (seconds + QUEUE_SECONDS) * 1000,
      };
    },
    wake(node, step, wake) {
      const { status, body } = answerOf<CallValues['http']>(step, wake);
      const isOk = (status >= 200 && status < 300) || node.acceptStatus?.includes(status);
      if (!isOk) throw new NodeError('HTTP_STATUS', `the endpoint answered ${status}`);
      step.note(`status ${status}`);
      if (node.saveAs !== undefined) step.setVariable(node.saveAs, { status, body: (body ?? null) as Value });
      for (const [name, path] of Object.entries(node.map ?? {}))
        step.setVariable(name, (follow(body, path.split('.')) ?? null) as Value);
      return { to: node.next };
    },
  },
  'ai-reply': {
    execute(node, step) {
      const messages = step.history(node.historyTokens ?? HISTORY_TOKENS);
      if (messages.length === 0) throw new NodeError('HISTORY_EMPTY', 'nothing has been said to reply to');
      return {
        call: {
          kind: 'ai-reply',
          messages: messages.map((message) => ({ ...message })),
          ...aiOptions(node, step),
          ...(node.maxTokens === undefined ? {} : { maxTokens: node.maxTokens }),
          ...(node.temperature === undefined ? {} : { temperature: node.temperature }),
        },
        untilMs: step.atMs + (node.timeoutSeconds ?? AI_SECONDS) * 1000,
      };
    },
    wake(node, step, wake) {
      const text = textOf(answerOf<CallValues['ai-reply']>(step, wake).text);
      if (node.saveAs !== undefined) step.setVariable(node.saveAs, text);
      if (node.send !== false) say(shorten(text, REPLY_MOST), step);
      return { to: node.next };
    },
    fail(node, step) {
      if (node.fallbackText === undefined) return undefined;
      step.again('says the fallback');
      const text = step.render(node.fallbackText);
      if (node.saveAs !== undefined) step.setVariable(node.saveAs, text);
      if (node.send !== false) say(text, step);
      return { to: node.next };
    },
  },
  'ai-classify': {
    execute(node, step) {
      const described = node.labels
        .filter(({ description }) => description !== undefined)
        .map(({ label, description }) => `${label}: ${description}`);
      const own = node.instructions === undefined ? [] : [step.render(node.instructions, TEXT_MOST)];
      const instructions = [...own, ...described].join('\n');
      return {
        call: {
          kind: 'ai-classify',
          text: textToRead(node, step),
          labels: node.labels.map(({ label }) => label),
          ...(instructions === '' ? {} : { instructions }),
          ...(node.model === undefined ? {} : { model: node.model }),
        },
        untilMs: step.atMs + (node.timeoutSeconds ?? AI_SECONDS) * 1000,
      };
    },
    wake(node, step, wake) {
      const { label } = answerOf<CallValues['ai-classify']>(step, wake);
      const hit = node.labels.find((each) => each.label === label);
      step.note(hit?.label ?? 'otherwise');
      if (node.saveAs !== undefined) step.setVariable(node.saveAs, hit?.label ?? null);
      return { to: hit?.next ?? node.otherwise };
    },
    fail: (node) => ({ to: node.otherwise }),
  },
  'ai-extract': {
    execute: (node, step) => ({
      call: {
        kind: 'ai-classify',
        text: textToRead(node, step),
        schema: node.schema,
        ...aiOptions(node, step),
      },
      untilMs: step.atMs + (node.timeoutSeconds ?? AI_SECONDS) * 1000,
    }),
    wake(node, step, wake) {
      const { values } = answerOf<CallValues['ai-classify']>(step, wake);
      if (values === undefined) throw new NodeError('AI_OUTPUT_INVALID', 'the model gave no values');
      step.setVariable(node.saveAs, values as Value);
      return { to: node.next };
    },
  },
  transcribe: {
    execute(node, step) {
      const media = step.lookUp(node.media ?? 'event.media') as
        | { path?: unknown; mimeType?: string; bytes?: number }
        | undefined;
      if (typeof media?.path !== 'string')
        throw new NodeError('MEDIA_MISSING', 'there is no voice message to transcribe');
      const { path, mimeType, bytes } = media;
      return {
        call: {
          kind: 'transcribe',
          audio: {
            path,
            ...(mimeType === undefined ? {} : { mimeType }),
            ...(bytes === undefined ? {} : { bytes }),
          },
          ...(node.language === undefined ? {} : { language: node.language }),
          ...(node.model === undefined ? {} : { model: node.model }),
        },
        untilMs: step.atMs + (node.timeoutSeconds ?? AI_SECONDS) * 1000,
      };
    },
    wake(node, step, wake) {
      step.setVariable(node.saveAs, textOf(answerOf<CallValues['transcribe']>(step, wake).text));
      return { to: node.next };
    },
  },
  'shopify-lookup': {
    execute(node, step) {
      const value = step.render(node.value, 1024).trim();
      if (value === '') throw new NodeError('VALUE_EMPTY', `there is no ${node.by} to look up`);
      return {
        call: {
          kind: 'shopify',
          resource: node.resource,
          by: node.by,
          value,
          ...(node.shopDomain === undefined ? {} : { shopDomain: node.shopDomain }),
        },
        untilMs: step.atMs + (node.timeoutSeconds ?? SHOPIFY_SECONDS) * 1000,
      };
    },
    wake(node, step, wake) {
      const { record } = answerOf<CallValues['shopify']>(step, wake);
      step.setVariable(node.saveAs, (record ?? null) as Value);
      step.note(record ? 'found' : 'not found');
      return { to: record ? node.next : (node.onNotFound ?? node.next) };
    },
  },
};

/** The value that a call gave, in a step of its own. @throws NodeError when it failed or its time was up. */
function answerOf<V>(step: StepContext, wake: Wake): V {
  const result: CallResult =
    wake.kind === 'result'
      ? wake.result
      : { ok: false, code: 'CALL_TIMED_OUT', message: 'no answer came in time' };
  step.again(result.ok ? 'answered' : result.code);
  if (!result.ok) throw new NodeError(result.code, result.message);
  if (typeof result.value !== 'object' || result.value === null)
    throw new NodeError('CALL_RESULT_INVALID', 'the answer is not what the node expects');
  return result.value as V;
}

function say(text: string, step: StepContext): void {
  step.emit({ kind: 'send', type: 'text', content: { body: text }, text });
}

function textOf(text: unknown): string {
  if (typeof text !== 'string' || text.trim() === '')
    throw new NodeError('AI_OUTPUT_INVALID', 'the model said nothing');
  return text.trim();
}

/** What a model is to read: what the node says, else what the person said last. */
function textToRead(node: Pick<NodeOf<'ai-classify'>, 'text'>, step: StepContext): string {
  const text = (node.text === undefined ? (step.event.text ?? '') : step.render(node.text, TEXT_MOST)).trim();
  if (text === '') throw new NodeError('TEXT_EMPTY', 'there is no text to read');
  return text;
}

function aiOptions(node: Pick<NodeOf<'ai-reply'>, 'instructions' | 'model'>, step: StepContext) {
  return {
    ...(node.instructions === undefined ? {} : { instructions: step.render(node.instructions, TEXT_MOST) }),
    ...(node.model === undefined ? {} : { model: node.model }),
  };
}

function renderHeaders(
  headers: Record<string, string>,
  step: StepContext,
  secrets: StandIns['scope'] | undefined,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const text = step.render(value, undefined, secrets);
      if (/[\r\n\0]/.test(text))
        throw new NodeError('HEADER_INVALID', `the header ${name} is more than one line`);
      return [name, text];
    }),
  );
}
