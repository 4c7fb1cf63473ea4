import t from 'tap';
import type { Simulator } from '../../src/index.ts';
import { control, start } from '../helper.ts';

async function chat({ url, ai }: Simulator, body: object, key = ai.apiKey) {
  const response = await fetch(`${url}/ai/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'm',
      messages: [{ role: 'user', content: 'Where is my order 1001?' }],
      ...body,
    }),
    signal: AbortSignal.timeout(5000),
  });
  const text = await response.text();
  return {
    status: response.status,
    text,
    body: (text.startsWith('{') ? JSON.parse(text) : undefined) as never,
  };
}

t.test('a model answers, by script, by schema or with what was said, and counts its tokens', async (t) => {
  const simulator = await start(t);
  t.match((await chat(simulator, {})).body, {
    choices: [{ message: { content: 'You said: “Where is my order 1001?”' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 6, completion_tokens: 9 },
  });
  const schema = {
    type: 'object',
    properties: {
      order: { type: 'string' },
      kind: { enum: ['refund', 'order'] },
      count: { type: 'integer' },
    },
  };
  const format = { type: 'json_schema', json_schema: { name: 'x', schema } };
  const { choices } = (await chat(simulator, { response_format: format })).body as {
    choices: { message: { content: string } }[];
  };
  t.same(JSON.parse(choices[0]!.message.content), { order: '1001', kind: 'order', count: 1001 });
  await control(simulator, 'POST', 'ai/replies', { match: 'order', reply: 'On its way.' });
  t.match((await chat(simulator, {})).body, { choices: [{ message: { content: 'On its way.' } }] });
  t.match((await chat(simulator, { max_tokens: 1 })).body, { choices: [{ finish_reason: 'length' }] });
  t.equal((await chat(simulator, {}, 'wrong')).status, 401);
  t.equal((await chat(simulator, { messages: [] })).status, 400);
  t.match((await control(simulator, 'GET', 'ai/requests')).data, [{ kind: 'chat', model: 'm' }]);
});

t.test('it goes wrong on demand, as often as was asked for', async (t) => {
  const simulator = await start(t);
  for (const [fault, seen] of [
    [{ kind: 'status', status: 429 }, { status: 429 }],
    [{ kind: 'nonsense' }, { status: 200, text: /^<html>/ }],
    [{ kind: 'empty' }, { body: { choices: [{ message: { content: '' } }] } }],
    [{ kind: 'cut-off' }, { body: { choices: [{ finish_reason: 'length' }] } }],
    [{ kind: 'refuse-schema' }, { text: /surprise/ }],
    [{ kind: 'slow', delayMs: 1 }, { status: 200 }],
  ] as const) {
    await control(simulator, 'POST', 'ai/faults', { ...fault, count: 1 });
    t.match(await chat(simulator, {}), seen, fault.kind);
    t.match(await chat(simulator, {}), { status: 200, text: /You said/ }, 'and is well again');
  }
  await control(simulator, 'POST', 'ai/faults', { kind: 'cut', count: 1 });
  await t.rejects(chat(simulator, {}));
  await control(simulator, 'POST', 'reset');
  t.equal((await chat(simulator, {})).status, 200);
});

t.test('speech becomes text', async (t) => {
  const { url, ai } = await start(t);
  const hear = async (bytes: Buffer) => {
    const form = new FormData();
    form.set('model', 'whisper-1');
    form.set('file', new File([new Uint8Array(bytes)], 'voice.ogg', { type: 'audio/ogg' }));
    const response = await fetch(`${url}/ai/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ai.apiKey}` },
      body: form,
    });
    return (await response.json()) as { text: string };
  };
  t.match(await hear(Buffer.from('Hello')), { text: 'Hello' });
  t.match(await hear(Buffer.from([0x4f, 0x67, 0x67, 0x53, 0x00, 0xff])), {
    text: '(a recording of 6 bytes)',
  });
});
