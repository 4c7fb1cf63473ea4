import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { type Simulator, type SimulatorOptions, startSimulator } from '../src/index.ts';

/** One POST that the receiver got. */
export interface ReceivedPost {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly atMs: number;
  readonly value: Record<string, unknown>[];
}

/** A webhook endpoint. */
export interface Receiver {
  readonly url: string;
  readonly posts: ReceivedPost[];
  /** Decides each POST's status; undefined leaves it without an answer. */
  answer: (post: ReceivedPost, n: number) => number | undefined;
  /** Everything of one kind, over all POSTs. */
  all(kind: 'messages' | 'statuses'): Record<string, unknown>[];
  /** Values of every change, over all POSTs. */
  values(): Record<string, unknown>[];
}

type Body = { entry: { changes: { value: Record<string, unknown> }[] }[] };

/** Starts a {@link Receiver} that goes away with the test. */
export async function startReceiver(t: Test, verifyToken = 'simulator-verify-token'): Promise<Receiver> {
  const posts: ReceivedPost[] = [];
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      const query = new URL(request.url ?? '', 'http://localhost').searchParams;
      const isKnown = query.get('hub.verify_token') === verifyToken;
      response.writeHead(isKnown ? 200 : 403).end(isKnown ? query.get('hub.challenge') : 'no');
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const value = (JSON.parse(body) as Body).entry.flatMap(({ changes }) =>
      changes.map((change) => change.value),
    );
    const post = { headers: request.headers, body, atMs: Date.now(), value };
    posts.push(post);
    const status = receiver.answer(post, posts.length);
    if (status !== undefined) response.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/whatsapp`,
    posts,
    answer: () => 200,
    all: (kind) => receiver.values().flatMap((value) => (value[kind] ?? []) as Record<string, unknown>[]),
    values: () => posts.flatMap(({ value }) => value),
  };
  return receiver;
}

/** Settings under which a test is quick and nothing but what it asks for goes wrong. */
const quick = {
  statuses: { sentDelayMs: 0, deliveredDelayMs: 10, readDelayMs: 20, jitter: 0 },
  window: { mode: 'off' as const },
  limits: { throughput: false, pair: false },
  webhooks: { flushMs: 0, retryBaseMs: 10 },
};

/** Starts a simulator that goes away with the test. */
export async function start(t: Test, options: SimulatorOptions = {}): Promise<Simulator> {
  const { settings = {} } = options;
  const simulator = await startSimulator({
    ...options,
    settings: {
      ...settings,
      statuses: { ...quick.statuses, ...settings.statuses },
      window: { ...quick.window, ...settings.window },
      limits: { ...quick.limits, ...settings.limits },
      webhooks: { ...quick.webhooks, ...settings.webhooks },
    },
  });
  t.teardown(() => simulator.close());
  return simulator;
}

/** Starts a simulator and the webhook it posts to. */
export async function startBoth(t: Test, options: SimulatorOptions = {}) {
  const receiver = await startReceiver(t);
  return { receiver, simulator: await start(t, { ...options, webhookUrl: receiver.url }) };
}

/** A parsed answer. */
export interface Answer {
  readonly status: number;
  readonly body: {
    messages?: { id: string; message_status?: string }[];
    contacts?: Record<string, string>[];
    success?: boolean;
    error?: {
      code: number;
      message: string;
      type: string;
      error_subcode?: number;
      error_data?: { messaging_product: string; details: string };
      fbtrace_id: string;
    };
    [key: string]: unknown;
  };
}

/** Calls the Graph API with the right token. */
export async function graph(
  simulator: Simulator,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(`${simulator.url}/v23.0/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${simulator.credentials.accessToken}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(5000),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

/** Sends a message; a text to the same person unless the fields say otherwise. */
export function send(simulator: Simulator, fields: Record<string, unknown> = {}): Promise<Answer> {
  return graph(simulator, 'POST', `${simulator.credentials.phoneNumberId}/messages`, {
    messaging_product: 'whatsapp',
    to: '15551230001',
    type: 'text',
    text: { body: 'hello' },
    ...fields,
  });
}

/** Calls the control API. */
export async function control(simulator: Simulator, method: string, path: string, body?: unknown) {
  const response = await fetch(`${simulator.url}/_simulator/${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const { data, error } = (await response.json()) as {
    data: never;
    error?: { code: string; message: string };
  };
  return { status: response.status, data, error };
}
