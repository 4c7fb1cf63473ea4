import type { FastifyInstance } from 'fastify';
import type { WhatsApp } from './create-whatsapp.ts';
import { graphError, unknownObject } from './graph-error.ts';
import { sendGraphError } from './send-graph-error.ts';

const megabyte = 1024 * 1024;

/** The largest upload of a type, in bytes; undefined when the type is not supported. */
function limitOf(mimeType: string): number | undefined {
  const [family] = mimeType.split('/');
  if (mimeType.startsWith('image/webp')) return 0.5 * megabyte;
  if (/^image\/(jpeg|png)/.test(mimeType)) return 5 * megabyte;
  if (/^video\/(mp4|3gpp)/.test(mimeType) || /^audio\/(aac|amr|mpeg|mp4|ogg|opus)/.test(mimeType))
    return 16 * megabyte;
  return family === 'application' || family === 'text' ? 100 * megabyte : undefined;
}

/** Upload, look-up's download, and deletion of media. The look-up itself is the object route. */
export function registerMediaRoutes(app: FastifyInstance, whatsapp: WhatsApp): void {
  const { media, numbers } = whatsapp;

  app.post<{ Params: { id: string } }>('/:id/media', async (request, reply) => {
    const { id } = request.params;
    if (!numbers.get(id)) return sendGraphError(reply, unknownObject(id));
    if (!request.isMultipart()) {
      return sendGraphError(
        reply,
        graphError(100, undefined, 'The parameter messaging_product is required.'),
      );
    }
    const fields: Record<string, string> = {};
    let file: { bytes: Buffer; mimeType: string; name: string } | undefined;
    for await (const part of request.parts()) {
      if (part.type === 'file') {
        file = { bytes: await part.toBuffer(), mimeType: part.mimetype, name: part.filename };
      } else fields[part.fieldname] = String(part.value);
    }
    if (fields.messaging_product !== 'whatsapp') {
      return sendGraphError(
        reply,
        graphError(100, undefined, 'The parameter messaging_product is required.'),
      );
    }
    if (!file) return sendGraphError(reply, graphError(100, undefined, 'The parameter file is required.'));
    const mimeType = fields.type ?? file.mimeType;
    const limit = limitOf(mimeType);
    if (limit === undefined) {
      return sendGraphError(
        reply,
        graphError(100, undefined, `Param file must be a file with a supported type, got ${mimeType}.`),
      );
    }
    if (file.bytes.length === 0 || file.bytes.length > limit) {
      return sendGraphError(
        reply,
        graphError(131053, `Media size ${file.bytes.length} is not between 1 and ${limit} bytes`),
      );
    }
    const [fault] = whatsapp.faults
      .strike({ address: id, phoneNumberId: id, type: 'media' })
      .filter((each) => each.kind === 'error');
    if (fault) return sendGraphError(reply, graphError(fault.code, fault.details ?? 'Asked for by a fault'));
    return { id: media.put(file.bytes, mimeType, file.name, id).id };
  });

  app.get<{ Querystring: { token?: string } }>('/whatsapp_business/attachments/', async (request, reply) => {
    const stored = media.open(request.query.token ?? '');
    if (!stored)
      return sendGraphError(reply, { ...graphError(131052, 'The URL has expired'), httpStatus: 404 });
    return reply
      .type(stored.mimeType)
      .header('content-disposition', 'attachment')
      .header('x-content-type-options', 'nosniff')
      .send(stored.bytes);
  });

  app.delete<{ Params: { id: string } }>('/:id', async (request, reply) => {
    if (!media.remove(request.params.id)) return sendGraphError(reply, unknownObject(request.params.id));
    return { success: true };
  });
}
