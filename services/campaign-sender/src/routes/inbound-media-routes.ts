import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import type { MediaRow } from '../conversations/read-messages.ts';
import { mediaPending, mediaUnavailable, recordUnknown } from '../errors.ts';
import { MediaView } from './conversation-schemas.ts';
import type { RouteParts } from './register-routes.ts';
import { IdParams } from './schemas.ts';

/** A file as the API shows it. */
export function presentMedia({ id, type, state, mimeType, fileName, bytes, failureCode }: MediaRow) {
  return { id, type, state, mimeType, fileName, bytes, failureCode };
}

/** Files that people sent. */
export function registerInboundMediaRoutes(app: ServiceApp, { store, files }: RouteParts): void {
  const tags = ['messages'];

  app.get(
    '/api/v1/messages/:id/media',
    {
      onRequest: requireScope('messages:read'),
      schema: {
        tags,
        summary: 'What came with a message, and whether it has been fetched',
        params: IdParams,
        response: { 200: ok(MediaView) },
      },
    },
    async ({ params, principal }) => succeed(presentMedia(await find(params.id, principal.merchantId))),
  );

  app.get(
    '/api/v1/messages/:id/media/content',
    {
      onRequest: requireScope('messages:read'),
      schema: { tags, summary: 'The file that came with a message', params: IdParams },
    },
    async ({ params, principal }, reply) => {
      const media = await find(params.id, principal.merchantId);
      if (media.state === 'pending')
        throw mediaPending('the file has not been fetched yet', { details: { code: media.failureCode } });
      if (media.state !== 'stored' || media.path === null)
        throw mediaUnavailable('there is no file', {
          details: { state: media.state, code: media.failureCode },
        });
      const content = await files.get(media.path);
      const name = media.fileName ?? media.path.split('/').at(-1)!;
      return reply
        .type(media.mimeType ?? 'application/octet-stream')
        .headers({
          ...(media.bytes === null ? {} : { 'content-length': media.bytes }),
          // It comes from anybody: a browser must neither show it as a page nor guess what it is.
          'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name.toWellFormed())}`,
          'x-content-type-options': 'nosniff',
          'cache-control': 'private, max-age=3600',
        })
        .send(content);
    },
  );

  async function find(messageId: string, merchantId: string): Promise<MediaRow> {
    const row = await store.db
      .selectFrom('inbound_media')
      .selectAll()
      .where('messageId', '=', messageId)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    if (!row) throw recordUnknown('no message with this id has brought a file');
    return row;
  }
}
