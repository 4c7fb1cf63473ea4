import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** A merchant's endpoint. */
export interface EventReceiver {
  readonly url: string;
  /** The secret that deliveries must be signed with; known only once the endpoint is registered. */
  secret: string;
  /** What came correctly signed, the first time, by its id. */
  readonly events: ReadonlyMap<string, { type: string; data: Record<string, unknown> }>;
  /** How many deliveries had no valid signature. */
  readonly refused: number;
}

/** Starts an endpoint that checks signatures by Standard Webhooks 1.0, as a merchant would. */
export async function startEventReceiver(t: Test): Promise<EventReceiver> {
  const events = new Map<string, { type: string; data: Record<string, unknown> }>();
  const receiver = { url: '', secret: '', events, refused: 0 };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signature,
    } = request.headers;
    const key = Buffer.from(receiver.secret.replace(/^whsec_/, ''), 'base64');
    const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    if (String(signature).split(' ').includes(`v1,${expected}`)) events.set(String(id), JSON.parse(body));
    else receiver.refused++;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return receiver;
}
