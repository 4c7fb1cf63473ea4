import type { FastifyReply } from 'fastify';
import { type GraphError, renderGraphError } from './graph-error.ts';

/** Answers an error of the Graph API. */
export function sendGraphError(reply: FastifyReply, error: GraphError): FastifyReply {
  return reply.code(error.httpStatus).type('application/json; charset=UTF-8').send(renderGraphError(error));
}
