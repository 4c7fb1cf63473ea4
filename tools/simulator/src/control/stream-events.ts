import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WhatsApp } from '../whatsapp/create-whatsapp.ts';
import type { SimulatorEvent } from '../whatsapp/simulator-event.ts';

const heartbeatMs = 15_000;

/** The person whom an event is about, if any. */
function addressesOf(event: SimulatorEvent): readonly (string | undefined)[] {
  switch (event.kind) {
    case 'accepted':
      return [event.message.to, event.message.userId];
    case 'status':
      return [event.to];
    case 'inbound':
      return [event.inbound.from, event.inbound.userId];
    default:
      return [];
  }
}

/**
 * Answers with server-sent events, named by their kind. `?to=` keeps the messages of one person and leaves the other
 * kinds as they are. A client that reads too slowly misses events instead of filling the memory.
 */
export function streamEvents(whatsapp: WhatsApp, request: FastifyRequest, reply: FastifyReply): void {
  const to = (request.query as { to?: string }).to?.replace(/^[+ ]/, '');
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  raw.write(': connected\n\n');
  const stop = whatsapp.events.listen((event) => {
    if (raw.writableNeedDrain) return;
    const addresses = addressesOf(event);
    if (to !== undefined && addresses.length > 0 && !addresses.includes(to)) return;
    raw.write(`event: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`);
  });
  const heartbeat = setInterval(() => raw.write(': alive\n\n'), heartbeatMs);
  raw.on('close', () => {
    clearInterval(heartbeat);
    stop();
  });
}
