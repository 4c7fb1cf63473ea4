import { setTimeout as delay } from 'node:timers/promises';
import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { AiFault, ChatMessage, SimulatedAi } from './create-ai.ts';
import { textOf } from './create-ai.ts';

interface ChatBody {
  model?: string;
  messages?: ChatMessage[];
  max_tokens?: number;
  max_completion_tokens?: number;
  response_format?: { type?: string; json_schema?: { schema?: Record<string, unknown> } };
}

/** The parts of OpenAI's API that Switchyard uses: chat completions, transcriptions, models. */
export async function aiRoutes(app: FastifyInstance, ai: SimulatedAi): Promise<void> {
  await app.register(multipart, { limits: { fileSize: 26 * 1024 * 1024, files: 1, fields: 10 } });
  app.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) =>
    refuse(reply, error.statusCode ?? 500, error.message),
  );
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'there is no such route'));
  app.addHook('onRequest', async (request, reply) => {
    if (request.headers.authorization !== `Bearer ${ai.apiKey}`)
      return refuse(reply, 401, 'Incorrect API key provided.');
  });

  app.get('/models', async () => ({ object: 'list', data: [{ id: 'simulator', object: 'model' }] }));

  app.post('/chat/completions', async (request, reply) => {
    const body = (request.body ?? {}) as ChatBody;
    const { model, messages, response_format: format } = body;
    if (!model || !Array.isArray(messages) || messages.length === 0)
      return refuse(reply, 400, 'model and messages are required');
    ai.note('chat', model, body as Record<string, unknown>);
    const fault = ai.faults.strike(textOf(messages.at(-1)?.content));
    const struck = await strike(fault, reply, format !== undefined);
    if (struck) return reply;
    const schema = format?.type === 'json_schema' ? format.json_schema?.schema : undefined;
    const limit = body.max_completion_tokens ?? body.max_tokens;
    const whole = fault?.kind === 'refuse-schema' ? '{"surprise": true}' : ai.reply(messages, schema);
    const isCut = fault?.kind === 'cut-off' || (limit !== undefined && tokensOf(whole) > limit);
    const content = fault?.kind === 'empty' ? '' : isCut ? whole.slice(0, 4 * (limit ?? 4)) : whole;
    const promptTokens = messages.reduce((sum, message) => sum + tokensOf(textOf(message.content)), 0);
    return {
      id: `chatcmpl-${ai.requests().length}`,
      object: 'chat.completion',
      created: Math.floor(Date.now() / 1000),
      model,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content, refusal: null },
          finish_reason: isCut ? 'length' : 'stop',
        },
      ],
      usage: {
        prompt_tokens: promptTokens,
        completion_tokens: tokensOf(content),
        total_tokens: promptTokens + tokensOf(content),
      },
    };
  });

  app.post('/audio/transcriptions', async (request, reply) => {
    let file: { bytes: Buffer; mimeType: string; name: string } | undefined;
    const fields: Record<string, string> = {};
    for await (const part of request.parts()) {
      if (part.type === 'file')
        file = { bytes: await part.toBuffer(), mimeType: part.mimetype, name: part.filename };
      else fields[part.fieldname] = String(part.value);
    }
    if (!file || !fields.model) return refuse(reply, 400, 'file and model are required');
    const { bytes, mimeType, name } = file;
    ai.note('transcription', fields.model, { ...fields, name, mimeType, bytes: bytes.length });
    const fault = ai.faults.strike(name);
    if (await strike(fault, reply, false)) return reply;
    const heard = readSpeech(bytes);
    return {
      text: fault?.kind === 'empty' ? '' : heard,
      usage: { type: 'duration', seconds: Math.ceil(bytes.length / 4000) },
    };
  });
}

/** @returns whether the fault has answered, or never will. */
async function strike(fault: AiFault | undefined, reply: FastifyReply, hasFormat: boolean): Promise<boolean> {
  switch (fault?.kind) {
    case 'hang':
      reply.hijack();
      return true;
    case 'cut':
      reply.hijack();
      reply.raw.destroy();
      return true;
    case 'babble':
      reply.hijack();
      babble(reply);
      return true;
    case 'nonsense':
      reply.type('text/html').send('<html>Please sign in</html>');
      return true;
    case 'status':
      refuse(reply, fault.status ?? 500, 'the model is overloaded');
      return true;
    case 'refuse-format':
      if (!hasFormat) return false;
      refuse(reply, 400, "'response_format' is not supported with this model");
      return true;
    case 'slow':
      await delay(fault.delayMs ?? 1000);
      return false;
    default:
      return false;
  }
}

/** Talks until nobody listens. */
function babble(reply: FastifyReply): void {
  const { raw } = reply;
  raw.writeHead(200, { 'content-type': 'application/json' });
  raw.write('{"choices":[{"message":{"role":"assistant","content":"');
  const words = 'and so on '.repeat(1000);
  const talk = () => {
    while (!raw.destroyed) if (!raw.write(words)) return void raw.once('drain', () => setImmediate(talk));
  };
  talk();
}

function refuse(reply: FastifyReply, status: number, message: string) {
  return reply.code(status).send({ error: { message, type: 'simulated_error', param: null, code: null } });
}

/** Speech that is text in disguise is understood; other recordings are measured. */
function readSpeech(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  const isText = !text.includes('\ufffd') && !/(?![\t\n\r])\p{Cc}/u.test(text);
  return isText ? text : `(a recording of ${bytes.length} bytes)`;
}

const tokensOf = (text: string) => Math.ceil(text.length / 4);
