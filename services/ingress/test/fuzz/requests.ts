import { createHmac } from 'node:crypto';
import { signMeta } from '@switchyard/test-kit';
import fc from 'fast-check';
import { message, messagesChange, status, webhook } from '../fixtures/payloads.ts';
import { shopifyHeaders } from '../fixtures/shopify.ts';
import { SECRET, SHOP_SECRET } from '../ingress.ts';

/** One request as bytes, and which answers are right. */
export interface FuzzRequest {
  readonly kind: string;
  readonly bytes: Buffer;
  /** Statuses that are right; `none` where the connection may just end. */
  readonly allowed: readonly (number | 'none')[];
  /** The client stops in the middle and hangs up, or goes on byte by byte. */
  readonly manner: 'whole' | 'cut' | 'slow';
}

const REFUSED = [400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 417, 431, 501] as const;

/** Anything that JSON can say, often with keys and values that are traps. */
const trapKeys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', ''];
const anyKey = fc.oneof(
  { weight: 3, arbitrary: fc.string() },
  { weight: 2, arbitrary: fc.constantFrom(...trapKeys) },
);
const leaf = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('\u0000', '\ud800', '💥', 'a'.repeat(2000), 2 ** 53, -0, 1e308),
);
const { tree: anyJson } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: false },
    leaf,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(anyKey, tie('tree'), { maxKeys: 4, noNullPrototype: false }),
  ),
}));

/** A right payload, some part of which is replaced by anything. */
const mutated = fc
  .tuple(
    fc.constantFrom(
      'messages',
      'statuses',
      'change',
      'entry',
      'metadata',
      'field',
      'value',
      'id',
      'contacts',
      'time',
    ),
    anyJson,
    fc.nat(1e9),
  )
  .map(([part, anything, serial]) => {
    const value: Record<string, unknown> = {
      ...messagesChange({ messages: [message('text', { id: `fuzz-${serial}` })], statuses: [status('sent')] })
        .value,
    };
    const change: Record<string, unknown> = { field: 'messages', value };
    const whole = webhook(change) as { entry: unknown[] };
    const entry = whole.entry[0] as Record<string, unknown>;
    if (part === 'messages' || part === 'statuses' || part === 'metadata' || part === 'contacts')
      value[part] = anything;
    else if (part === 'id') value.messages = [message('text', { id: anything })];
    else if (part === 'time') entry.time = anything;
    else if (part === 'change') entry.changes = [anything];
    else if (part === 'entry') whole.entry = [anything];
    else change[part] = anything;
    return whole as unknown;
  });

function nest(depth: number, open: string, close: string): string {
  return open.repeat(depth) + close.repeat(depth);
}

/** Bodies, and whether one is an envelope that must be acknowledged (all of it is queued, or kept) once it is signed. */
const body = fc.oneof(
  mutated.map((value) => ({ kind: 'mutated payload', bytes: Buffer.from(JSON.stringify(value)) })),
  anyJson.map((value) => ({ kind: 'any JSON', bytes: Buffer.from(JSON.stringify(value)) })),
  fc
    .uint8Array({ minLength: 1, maxLength: 300 })
    .map((bytes) => ({ kind: 'any bytes', bytes: Buffer.from(bytes) })),
  fc.tuple(mutated, fc.double({ min: 0.01, max: 0.99, noNaN: true })).map(([value, share]) => {
    const text = Buffer.from(JSON.stringify(value));
    return { kind: 'cut JSON', bytes: text.subarray(0, Math.max(1, Math.floor(text.length * share))) };
  }),
  fc.tuple(mutated, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
    const bytes = Buffer.from(JSON.stringify(value));
    bytes[at % bytes.length] = byte;
    return { kind: 'a byte changed', bytes };
  }),
  fc
    .tuple(
      fc.integer({ min: 30, max: 3000 }),
      fc.constantFrom(['[', ']'], ['{"a":', '}'], ['{"entry":[', ']}']),
    )
    .map(([depth, [open, close]]) => ({
      kind: 'deep nesting',
      bytes: Buffer.from(nest(depth, open!, close!)),
    })),
  fc.constantFrom(
    ...[
      '{"__proto__":{"entry":[]}}',
      '{"entry":[{"changes":[{"field":"__proto__","value":{"__proto__":1}}]}]}',
      '{"entry":1e999}',
      '{"entry":[],"entry":{}}',
      '\ufeff{"entry":[]}',
      'null',
      '{"entry":[null]}',
    ].map((text) => ({ kind: 'a trap', bytes: Buffer.from(text) })),
  ),
);

/** By the most common parser, whether the text is an envelope. */
function isEnvelope(bytes: Buffer): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = JSON.parse(text) as { entry?: unknown } | null;
    return typeof value === 'object' && value !== null && !Array.isArray(value) && Array.isArray(value.entry);
  } catch {
    return false;
  }
}

function post(path: string, headers: readonly string[], bytes: Buffer): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}

const signed = (bytes: Buffer) => `X-Hub-Signature-256: ${signMeta(bytes, SECRET)}`;
const lengthOf = (bytes: Buffer) => `Content-Length: ${bytes.length}`;

/** Signed and framed as it should be: then the body alone decides. */
const signedBody = fc
  .tuple(body, fc.constantFrom('application/json', 'text/plain; x="', 'multipart/form-data'))
  .map(
    ([{ kind, bytes }, type]): FuzzRequest => ({
      kind: `signed, ${kind}`,
      bytes: post('/webhooks/whatsapp', [lengthOf(bytes), `Content-Type: ${type}`, signed(bytes)], bytes),
      // Nested deeper than any provider nests, an envelope is refused, and kept whole.
      allowed: isEnvelope(bytes) ? (kind === 'deep nesting' ? [200, 400] : [200]) : [400],
      manner: 'whole',
    }),
  );

const wrongSignature = fc
  .tuple(
    body,
    fc.oneof(
      fc.constantFrom(
        '',
        'sha256=',
        'sha256=00',
        `sha256=${'0'.repeat(64)}`,
        `sha1=${'0'.repeat(40)}`,
        'x'.repeat(5000),
      ),
      fc.string({ unit: 'grapheme-ascii' }),
    ),
    fc.boolean(),
  )
  .map(([{ kind, bytes }, signature, isMissing]): FuzzRequest => {
    const lines = isMissing ? [] : [`X-Hub-Signature-256: ${signature}`];
    return {
      kind: `unsigned, ${kind}`,
      bytes: post('/webhooks/whatsapp', [lengthOf(bytes), 'Content-Type: application/json', ...lines], bytes),
      allowed: [400, 401],
      manner: 'whole',
    };
  });

/** Framing that is not as HTTP has it, around a payload that would be right. */
const framing = fc
  .tuple(
    fc.constantFrom(
      'shorter',
      'longer',
      'negative',
      'huge',
      'twice',
      'both',
      'chunks',
      'gzip',
      'no length',
      'bad header',
      'many headers',
      'bad line',
      'huge header',
      'method',
    ),
    fc.nat(1e9),
    fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
  )
  .map(([how, serial, junk]): FuzzRequest => {
    const bytes = Buffer.from(
      JSON.stringify(webhook(messagesChange({ messages: [message('text', { id: `framing-${serial}` })] }))),
    );
    const right = [lengthOf(bytes), 'Content-Type: application/json', signed(bytes)];
    const send = (...lines: string[]) => post('/webhooks/whatsapp', [...lines, ...right.slice(1)], bytes);
    const about = {
      kind: `framing, ${how}`,
      allowed: [...REFUSED, 'none'] as const,
      manner: 'whole' as const,
    };
    switch (how) {
      case 'shorter':
        return {
          ...about,
          bytes: send(`Content-Length: ${bytes.length - 1 - (serial % (bytes.length - 1))}`),
        };
      case 'longer':
        return { ...about, bytes: send(`Content-Length: ${bytes.length + 1}`), manner: 'cut' };
      case 'negative':
        return { ...about, bytes: send('Content-Length: -1') };
      case 'huge':
        return { ...about, bytes: send('Content-Length: 99999999999') };
      case 'twice':
        return { ...about, bytes: send(right[0]!, `Content-Length: ${bytes.length + 7}`) };
      case 'both':
        return { ...about, bytes: send(right[0]!, 'Transfer-Encoding: chunked') };
      case 'chunks':
        return { ...about, bytes: send('Transfer-Encoding: chunked') };
      case 'gzip':
        return { ...about, bytes: send(right[0]!, 'Content-Encoding: gzip') };
      case 'no length':
        return { ...about, bytes: send() };
      case 'bad header':
        return { ...about, bytes: send(right[0]!, `Bad Header ${junk}: x`) };
      case 'many headers':
        return {
          ...about,
          bytes: send(right[0]!, ...Array.from({ length: 3000 }, (_, index) => `X-${index}: ${junk.length}`)),
        };
      case 'huge header':
        return { ...about, bytes: send(right[0]!, `X-Huge: ${'h'.repeat(100_000)}`) };
      case 'method':
        return { ...about, bytes: Buffer.from(`BREW /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\n\r\n`) };
      default:
        return { ...about, bytes: Buffer.concat([Buffer.from(`POST ${junk} HTTP/9.9\r\n`), bytes]) };
    }
  });

/** A right webhook of which only a part comes: the client hangs up, or takes its time. */
const unfinished = fc
  .tuple(fc.double({ min: 0, max: 0.99, noNaN: true }), fc.nat(1e9), fc.boolean())
  .map(([share, serial, isSlow]): FuzzRequest => {
    const bytes = Buffer.from(
      JSON.stringify(webhook(messagesChange({ messages: [message('text', { id: `half-${serial}` })] }))),
    );
    const whole = post('/webhooks/whatsapp', [lengthOf(bytes), signed(bytes)], bytes);
    const end = Math.floor(whole.length * share);
    return {
      kind: isSlow ? 'slow client' : 'hangs up',
      bytes: isSlow ? whole : whole.subarray(0, end),
      allowed: isSlow ? [200, 408, 'none'] : [...REFUSED, 'none'],
      manner: isSlow ? 'slow' : 'cut',
    };
  });

const shopify = fc
  .tuple(
    body,
    fc.constantFrom('right', 'wrong signature', 'no topic', 'bad shop', 'no id', 'unknown shop'),
    fc.nat(1e9),
  )
  .map(([{ kind, bytes }, how, serial]): FuzzRequest => {
    const headers: Record<string, string> = { ...shopifyHeaders, 'x-shopify-webhook-id': `fuzz-${serial}` };
    headers['x-shopify-hmac-sha256'] = createHmac('sha256', how === 'wrong signature' ? 'x' : SHOP_SECRET)
      .update(bytes)
      .digest('base64');
    if (how === 'no topic') delete headers['x-shopify-topic'];
    if (how === 'no id') delete headers['x-shopify-webhook-id'];
    if (how === 'bad shop') headers['x-shopify-shop-domain'] = '../etc/passwd';
    if (how === 'unknown shop') headers['x-shopify-shop-domain'] = 'nobody.myshopify.com';
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const isJson = canParse(bytes);
    const isTaken = (how === 'right' || how === 'unknown shop') && isJson;
    return {
      kind: `shopify, ${how}, ${kind}`,
      bytes: post('/webhooks/shopify', [lengthOf(bytes), ...lines], bytes),
      allowed: how === 'wrong signature' ? [401] : isTaken ? [200] : [400],
      manner: 'whole',
    };
  });

const elsewhere = fc
  .tuple(
    body,
    fc.oneof(
      fc.constantFrom(
        '/webhooks/events/evs_nobody',
        '/webhooks/events/__proto__',
        '/webhooks/alertmanager',
        '/webhooks',
        '/webhooks/whatsapp/../x',
        '/webhooks/events/%ff',
        `/webhooks/events/${'e'.repeat(300)}`,
      ),
      fc.webPath().map((path) => `/webhooks${path}`),
    ),
  )
  .map(
    ([{ kind, bytes }, path]): FuzzRequest => ({
      kind: `elsewhere, ${kind}`,
      bytes: post(
        path.replace(/[^\x21-\x7e]/g, '') || '/',
        [lengthOf(bytes), 'Content-Type: application/json'],
        bytes,
      ),
      allowed: REFUSED,
      manner: 'whole',
    }),
  );

const oversized = fc.boolean().map((isStated): FuzzRequest => {
  const bytes = Buffer.alloc(3_400_000, 0x20);
  const chunked = Buffer.concat([
    Buffer.from(`${bytes.length.toString(16)}\r\n`),
    bytes,
    Buffer.from('\r\n0\r\n\r\n'),
  ]);
  const lines = [isStated ? lengthOf(bytes) : 'Transfer-Encoding: chunked', signed(bytes)];
  return {
    kind: 'oversized',
    bytes: post('/webhooks/whatsapp', lines, isStated ? bytes : chunked),
    allowed: [413, 'none'],
    manner: 'whole',
  };
});

function canParse(bytes: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

/** Every kind of malformed request, the rare ones costly. */
export const anyRequest = fc.oneof(
  { weight: 400, arbitrary: signedBody },
  { weight: 200, arbitrary: wrongSignature },
  { weight: 150, arbitrary: framing },
  { weight: 150, arbitrary: shopify },
  { weight: 60, arbitrary: elsewhere },
  { weight: 39, arbitrary: unfinished },
  { weight: 1, arbitrary: oversized },
);
