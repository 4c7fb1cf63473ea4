import type { IncomingMessage, ServerResponse } from 'node:http';
import { type GraphError, graphError, renderGraphError, unknownObject } from './graph-error.ts';
import type { BusinessNumber, Numbers } from './numbers.ts';
import { readBody } from './read-body.ts';
import type { SendGate, SendOutcome } from './send-gate.ts';

type Json = Record<string, unknown>;
const bodyLimitBytes = 1024 * 1024;

/** What a {@link SendHandler} needs. */
export interface SendHandlerOptions {
  numbers: Numbers;
  gate: SendGate;
  later: (delayMs: number, run: () => void) => void;
  onRejected: (error: GraphError, phoneNumberId: string) => void;
}

/** Answers `POST /{version}/{phone_number_id}/messages`. Never throws. */
export type SendHandler = (request: IncomingMessage, response: ServerResponse, phoneNumberId: string) => void;

/**
 * Creates the {@link SendHandler}. It works on bare `node:http`, below any framework, because its speed bounds every
 * benchmark that sends through this simulator, and because some faults end the connection.
 */
export function createSendHandler({ numbers, gate, later, onRejected }: SendHandlerOptions): SendHandler {
  function authorize(authorization: string | undefined, phoneNumberId: string): BusinessNumber | GraphError {
    const token = authorization?.startsWith('Bearer ') ? authorization.slice(7) : '';
    const number = numbers.get(phoneNumberId);
    if (number?.accessToken === token) return number;
    return numbers.isToken(token) ? unknownObject(phoneNumberId) : graphError(190);
  }

  function decide(number: BusinessNumber, body: string | undefined): SendOutcome {
    if (body === undefined) {
      const error = { ...graphError(100, 'The request body is too large'), httpStatus: 413 };
      return { kind: 'refuse', error };
    }
    let payload: unknown;
    try {
      payload = JSON.parse(body);
    } catch {
      return { kind: 'refuse', error: graphError(100, 'The request body is not valid JSON') };
    }
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
      return { kind: 'refuse', error: graphError(100, 'The request body must be a JSON object') };
    }
    const fields = payload as Json;
    return fields.status === 'read' ? gate.markRead(number, fields) : gate.send(number, fields);
  }

  return (request, response, phoneNumberId) => {
    readBody(request, bodyLimitBytes, (body) => {
      const number = authorize(request.headers.authorization, phoneNumberId);
      const outcome: SendOutcome =
        'code' in number ? { kind: 'refuse', error: number } : decide(number, body);
      switch (outcome.kind) {
        case 'cut':
          response.socket?.destroy();
          return;
        case 'silence':
          return;
        case 'page':
          response.writeHead(outcome.status, { 'content-type': 'text/html' });
          response.end('<html><body><h1>The gateway has no answer</h1></body></html>');
          return;
        case 'refuse':
          onRejected(outcome.error, phoneNumberId);
          answer(response, outcome.error.httpStatus, renderGraphError(outcome.error));
          return;
        case 'answer':
          if (outcome.delayMs === 0) answer(response, 200, outcome.body);
          else later(outcome.delayMs, () => answer(response, 200, outcome.body));
      }
    });
  };
}

function answer(response: ServerResponse, status: number, body: string): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    'content-type': 'application/json; charset=UTF-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
