import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type CodedError, isCodedError } from '@switchyard/errors';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  bodyMalformed,
  bodyTooLarge,
  headersTooLarge,
  internalError,
  mediaTypeUnsupported,
  requestMalformed,
  requestTimedOut,
  routeUnknown,
  validationFailed,
} from '../errors.ts';
import { fail } from './envelope.ts';
import { explainValidation } from './explain-validation.ts';
import { returnIds } from './install-request-context.ts';

/** Puts every error of an app into the envelope: only coded messages reach a caller, never a stack. */
export function handleErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  app.setNotFoundHandler((request, reply) =>
    sendError(routeUnknown('there is no such route'), request, reply),
  );
}

/** Answers with an error; also for what fails before a route is found. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const coded = toCodedError(error);
  if (coded.statusCode >= 500) {
    const level = coded.outcome === 'later' ? 'warn' : 'error';
    request.log[level]({ err: coded, route: request.routeOptions?.url }, 'request failed');
  }
  returnIds(request, reply);
  if (coded.delayMs !== undefined) reply.header('retry-after', Math.ceil(coded.delayMs / 1_000));
  return reply.code(coded.statusCode).type('application/json; charset=utf-8').send(fail(coded));
}

/** Translates whatever was thrown. What is neither coded nor Fastify's own is ours to hide. */
function toCodedError(error: unknown): CodedError {
  if (isCodedError(error)) return error;
  if (!(error instanceof Error)) return internalError('something went wrong on our side', { cause: error });
  const { validation, validationContext, code = '' } = error as FastifyError;
  if (validation) return describeValidation(validation, validationContext, error);
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return bodyTooLarge('the body is too large', { cause: error });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return mediaTypeUnsupported('this route takes another content type', { cause: error });
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return bodyMalformed('the body is empty', { cause: error });
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return bodyMalformed('the body is not valid JSON', { cause: error });
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return bodyMalformed('the body is not as long as its header says', { cause: error });
    case 'FST_ERR_BAD_URL':
      return requestMalformed('the URL is malformed', { cause: error });
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return requestMalformed('an id in the path is too long', { cause: error });
  }
  const status = (error as FastifyError).statusCode ?? 500;
  // secure-json-parse: prototype keys, and JSON that its parser refuses.
  if (error instanceof SyntaxError && status === 400) {
    return bodyMalformed('the body is not valid JSON', { cause: error });
  }
  if (code.startsWith('FST_') && status >= 400 && status < 500) {
    return requestMalformed(STATUS_CODES[status] ?? 'the request is malformed', { cause: error });
  }
  return internalError('something went wrong on our side', { cause: error });
}

function describeValidation(
  validation: NonNullable<FastifyError['validation']>,
  context: string | undefined,
  cause: Error,
): CodedError {
  const fields = explainValidation(validation, context ?? 'request');
  const [first] = fields;
  return validationFailed(first ? `${first.field} ${first.problem}` : 'the request is not valid', {
    details: { fields },
    cause,
  });
}

/** Answers what Node.js could not read as HTTP, in the envelope, and closes the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) {
    const coded = clientError(error.code);
    const body = JSON.stringify(fail(coded));
    socket.write(
      `HTTP/1.1 ${coded.statusCode} ${STATUS_CODES[coded.statusCode]}\r\nConnection: close\r\n` +
        `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}

function clientError(code: string | undefined): CodedError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return requestTimedOut('the request took too long to arrive');
  if (code === 'HPE_HEADER_OVERFLOW') return headersTooLarge('the headers are too large');
  return requestMalformed('the request is not valid HTTP');
}
