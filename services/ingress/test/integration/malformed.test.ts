import { once } from 'node:events';
import { connect } from 'node:net';
import { createSqliteDatabase, signMeta, startRedis } from '@switchyard/test-kit';
import fc from 'fast-check';
import t from 'tap';
import { textWebhook } from '../fixtures/payloads.ts';
import { environmentOf, SECRET, startIngress } from '../ingress.ts';

t.test('nothing malformed gets a 5xx or a wrong 200', async (t) => {
  const redis = await startRedis(t);
  const ingress = await startIngress(t, environmentOf(redis, await createSqliteDatabase(t)));
  const { runtime, webhook } = ingress;

  /** Sends bytes as they are. @returns the status, or undefined where the connection just ended. */
  async function sendRaw(text: string | Buffer, { half = false } = {}): Promise<number | undefined> {
    const { port } = new URL(ingress.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    let answer = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      answer += chunk;
      socket.end();
    });
    if (half) socket.end(text);
    else socket.write(text);
    await once(socket, 'close');
    const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1];
    return status === undefined ? undefined : Number(status);
  }

  await t.test(
    'property: signed JSON of any shape is acknowledged only when every part of it is kept',
    async () => {
      const element = fc.oneof(fc.record({ id: fc.string({ minLength: 1 }) }), fc.jsonValue({ maxDepth: 2 }));
      const value = fc.record(
        {
          metadata: fc.constant({ phone_number_id: '5' }),
          messages: fc.array(element),
          statuses: fc.array(element),
        },
        { requiredKeys: [] },
      );
      const change = fc.oneof(
        fc.record({ field: fc.constant('messages'), value }),
        fc.jsonValue({ maxDepth: 2 }),
      );
      const entry = fc.array(
        fc.oneof(fc.record({ changes: fc.array(change) }), fc.jsonValue({ maxDepth: 2 })),
      );
      const body = fc.oneof(fc.record({ entry }), fc.jsonValue());
      await fc.assert(
        fc.asyncProperty(body, async (payload) => {
          const { status } = await webhook(payload);
          const isEnvelope = Array.isArray((payload as { entry?: unknown } | null)?.entry);
          return status === (isEnvelope ? 200 : 400);
        }),
        { numRuns: 300 },
      );
    },
  );

  await t.test('property: signed bytes of any kind get 400', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 64 }), async (bytes) => {
        const { status } = await webhook(Buffer.from(bytes));
        return status === 400;
      }),
      { numRuns: 200 },
    );
  });

  await t.test('wrong lengths, encodings, halves and garbage', async (t) => {
    const body = JSON.stringify(textWebhook('raw'));
    const head = (lines: string[]) =>
      `POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: ${signMeta(body, SECRET)}\r\n${lines.join('\r\n')}\r\n\r\n`;
    const length = `Content-Length: ${Buffer.byteLength(body)}`;
    t.equal(await sendRaw(head([length, 'Content-Type: application/json']) + body), 200, 'what is right');
    t.equal(
      await sendRaw(head([length, 'Content-Type: text/x-odd; a="']) + body),
      200,
      'the content type says nothing',
    );
    t.equal(await sendRaw(head([length, 'Content-Encoding: gzip']) + body), 415);
    t.equal(await sendRaw(head(['Content-Length: 99999999999'])), 413);
    t.equal(await sendRaw(head(['Content-Length: -1']) + body), 400);
    t.equal(await sendRaw(`${head(['Transfer-Encoding: chunked'])}zz\r\n`), 400);
    t.equal(await sendRaw(head([])), 400, 'no body');
    t.equal(await sendRaw(`${head([length])}${body.slice(0, 50)}`, { half: true }), 400, 'half a body');
    t.equal(await sendRaw(Buffer.from([0x16, 3, 1, 2, 0, 1])), 400, 'TLS where there is none');
    t.equal(await sendRaw(`GET /${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`), 431);
    const chunked = `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    t.equal(await sendRaw(head(['Transfer-Encoding: chunked']) + chunked), 200, 'chunked');
  });

  await t.test('the budget for bodies is whole again', async (t) => {
    t.match(await runtime.metrics.registry.metrics(), /ingress_body_bytes\{[^}]*\} 0\n/);
    t.same(
      ingress.lines.filter(({ level }) => level >= 50),
      [],
      'no error was logged',
    );
  });
});
