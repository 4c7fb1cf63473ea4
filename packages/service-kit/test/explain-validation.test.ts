import t from 'tap';
import Type, { type TSchema } from 'typebox';
import { bearer, listen } from './helper.ts';

const closed = { additionalProperties: false };
const Message = Type.Object(
  {
    to: Type.String(),
    kind: Type.Optional(Type.Union([Type.Literal('text'), Type.Literal('image')])),
    content: Type.Union([Type.String({ minLength: 1 }), Type.Object({ body: Type.String() })]),
    note: Type.Optional(Type.Union([Type.String(), Type.Number(), Type.Null()])),
  },
  closed,
);
const Body = Type.Union([
  Message,
  Type.Object({ messages: Type.Array(Message, { minItems: 1 }) }, closed),
]) as TSchema;
const Step = Type.Union([
  Type.Object({ step: Type.Literal('wait'), minutes: Type.Integer() }, closed),
  Type.Object({ step: Type.Literal('send'), text: Type.String() }, closed),
]) as TSchema;

t.test('of a choice the caller is told what is wrong with the one that was meant', async (t) => {
  const { url } = await listen(t, {
    routes: (app) => {
      app.post('/api/v1/messages', { schema: { body: Body } }, async () => ({}));
      app.post('/api/v1/steps', { schema: { body: Step } }, async () => ({}));
    },
  });
  const headers = { ...(await bearer()), 'content-type': 'application/json' };
  const fieldsOf = async (path: string, body: unknown) => {
    const answer = await fetch(`${url}/api/v1/${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    const { error } = (await answer.json()) as {
      error: { message: string; details: { fields: { field: string; problem: string }[] } };
    };
    t.equal(answer.status, 400);
    const fields = error.details.fields.map(({ field, problem }) => `${field} ${problem}`);
    t.equal(error.message, fields[0]);
    return fields;
  };
  const one = { to: '+1', content: 'hi' };
  for (const [body, problem] of [
    [
      { messages: [one, { ...one, content: '' }] },
      'body.messages.1.content must NOT have fewer than 1 characters',
    ],
    [{ messages: [one, { content: 'hi' }] }, 'body.messages.1.to must be present'],
    [{ messages: 'all' }, 'body.messages must be array'],
    [{ to: '+1' }, 'body.content must be present'],
    [{ ...one, contnt: 'x' }, 'body.contnt is not known here'],
    [{ ...one, kind: 'sound' }, 'body.kind must be one of text, image'],
    [{ ...one, content: 5 }, 'body.content must be one of string, object'],
    [{ ...one, note: [] }, 'body.note must be one of string, number, null'],
    [[], 'body must be object'],
  ] as const)
    t.strictSame(await fieldsOf('messages', body), [problem]);
  for (const [body, problem] of [
    [{ step: 'send', text: 5 }, 'body.text must be string'],
    [{ step: 'wait', minutes: 1.5 }, 'body.minutes must be integer'],
  ] as const)
    t.strictSame(await fieldsOf('steps', body), [problem]);
});
