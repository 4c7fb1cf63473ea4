import type { Readable } from 'node:stream';
import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { mediaKindUnsupported, recordUnknown } from '../errors.ts';
import { MOST_BYTES } from '../media-out/media-kinds.ts';
import { storeMedia } from '../media-out/store-media.ts';
import { pageOf, parseCursor } from './cursor.ts';
import { MediaView } from './provider-schemas.ts';
import type { RouteParts } from './register-routes.ts';
import { closed, IdParams, page, pageQuery } from './schemas.ts';

interface Shown {
  id: string;
  sha256: string;
  mimeType: string;
  bytes: number;
  fileName: string | null;
  createdAtMs: number;
}

function presentMedia({ id, sha256, mimeType, bytes, fileName, createdAtMs }: Shown): Shown {
  return { id, sha256, mimeType, bytes, fileName, createdAtMs };
}

/** Files that messages may carry: upload, list, fetch, delete. */
export function registerMediaRoutes(app: ServiceApp, parts: RouteParts): void {
  const { store, files, mediaFiles } = parts;
  const { db } = store;
  const tags = ['media'];
  registerUpload(app, parts, tags);

  app.get(
    '/api/v1/media',
    {
      onRequest: requireScope('messages:read'),
      schema: {
        tags,
        summary: 'List files, latest first',
        querystring: Type.Object(pageQuery, closed),
        response: { 200: ok(page(MediaView)) },
      },
    },
    async ({ query, principal }) => {
      const before = parseCursor(query.cursor);
      let rows = db.selectFrom('media_files').selectAll().where('merchantId', '=', principal.merchantId);
      if (before !== undefined) rows = rows.where('id', '<', before);
      const found = await rows
        .orderBy('id', 'desc')
        .limit(query.limit + 1)
        .execute();
      return succeed(pageOf(found, query.limit, ({ id }) => id, presentMedia));
    },
  );

  app.get(
    '/api/v1/media/:id',
    {
      onRequest: requireScope('messages:read'),
      schema: { tags, summary: 'Look a file up', params: IdParams, response: { 200: ok(MediaView) } },
    },
    async ({ params, principal }) => succeed(presentMedia(await find(params.id, principal.merchantId))),
  );

  app.get(
    '/api/v1/media/:id/content',
    {
      onRequest: requireScope('messages:read'),
      schema: { tags, summary: "A file's bytes", params: IdParams },
    },
    async ({ params, principal }, reply) => {
      const { path, mimeType, bytes } = await find(params.id, principal.merchantId);
      const content = await files.get(path);
      // Never shown in place: what merchants upload must not run on the API's origin.
      return reply
        .type(mimeType)
        .header('content-length', bytes)
        .header('content-disposition', 'attachment')
        .header('x-content-type-options', 'nosniff')
        .send(content);
    },
  );

  app.delete(
    '/api/v1/media/:id',
    {
      onRequest: requireScope('messages:write'),
      schema: {
        tags,
        summary: 'Delete a file; messages that carry it and have not gone will fail',
        params: IdParams,
        response: { 200: ok(MediaView) },
      },
    },
    async ({ params, principal }) => {
      const file = await find(params.id, principal.merchantId);
      await db.deleteFrom('media_files').where('id', '=', file.id).execute();
      mediaFiles.forget(file.id);
      await files.delete(file.path);
      return succeed(presentMedia(file));
    },
  );

  async function find(id: string, merchantId: string) {
    const row = await db
      .selectFrom('media_files')
      .selectAll()
      .where('id', '=', id)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    if (!row) throw recordUnknown('there is no file with this id');
    return row;
  }
}

/** The body is the file, as it is; it is never held whole. */
function registerUpload(app: ServiceApp, { store, files }: RouteParts, tags: string[]): void {
  app.register(async (scoped) => {
    const scope = scoped as unknown as ServiceApp;
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, stream, done) => done(null, stream));
    scope.post(
      '/api/v1/media',
      {
        onRequest: requireScope('messages:write'),
        bodyLimit: MOST_BYTES,
        // After a body that was not read to its end, the connection is of no more use.
        onError: async (request, reply) => {
          if (!request.raw.complete) reply.header('connection', 'close');
        },
        schema: {
          tags,
          summary: 'Upload a file: the body is the file, its content-type what it is',
          description:
            'Its id goes into messages as `media`. The same bytes again are the same file (200 instead of 201). Limits: image 5 MB, sticker 500 KB, audio and video 16 MB, document 100 MB.',
          consumes: ['application/octet-stream'],
          querystring: Type.Object(
            {
              fileName: Type.Optional(Type.String({ minLength: 1, maxLength: 240 })),
            },
            closed,
          ),
          response: { 200: ok(MediaView), 201: ok(MediaView) },
        },
      },
      async (request, reply) => {
        const mimeType = request.headers['content-type'];
        if (mimeType === undefined || request.body === undefined)
          throw mediaKindUnsupported('say in content-type what the file is', { details: { mimeType: null } });
        const { file, isNew } = await storeMedia(store, files, {
          merchantId: request.principal.merchantId,
          content: request.body as Readable,
          mimeType,
          fileName: request.query.fileName,
        });
        reply.code(isNew ? 201 : 200);
        return succeed(presentMedia(file));
      },
    );
  });
}
