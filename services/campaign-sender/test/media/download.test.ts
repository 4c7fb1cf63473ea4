import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFileStore, type FileStore } from '@switchyard/files';
import { createSqliteDatabase } from '@switchyard/test-kit';
import t, { type Test } from 'tap';
import { download } from '../../src/media-in/download.ts';
import { createGraphMedia, MediaError } from '../../src/media-in/graph-media.ts';

type Download = Parameters<typeof download>[1];

const MB = 1024 * 1024;
const media = (type = 'image'): Download => ({
  ...{ id: 'med_1', merchantId: 'default', contactId: 'con_1', messageId: 'msg_1', senderId: 'snd_1' },
  ...{ providerMediaId: '77', type, mimeType: 'image/png', fileName: null, sha256: null, bytes: null },
  ...{
    path: null,
    state: 'pending',
    attempts: 1,
    nextAttemptAtMs: 0,
    failureCode: null,
    failureReason: null,
  },
  ...{ createdAtMs: 1_795_000_000_000, updatedAtMs: 1_795_000_000_000 },
});

/** A provider that answers look-ups with `info`, and requests for the file by `serve`. */
async function provider(
  t: Test,
  info: (origin: string) => Record<string, unknown>,
  serve: (request: IncomingMessage, response: ServerResponse) => void = (_, response) =>
    response.end('a file'),
) {
  const files: FileStore = await createFileStore({ dataDir: (await createSqliteDatabase(t)).dataDir });
  const asked: { url: string; token: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const url = request.url!;
    asked.push({ url, token: request.headers.authorization });
    if (!url.startsWith('/v26.0/')) return serve(request, response);
    response.end(JSON.stringify({ url: `${origin}/file`, mime_type: 'image/png', ...info(origin) }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const graph = createGraphMedia({
    ...{ url: origin, version: 'v26.0', connections: 2, hosts: ['fbcdn.net'] },
  });
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await graph.close();
  });
  const fetch = async (row = media()) =>
    await download({ graph, files }, row, 'secret', AbortSignal.timeout(20_000));
  const refusal = async (row?: Download) => {
    const error = await fetch(row).then(
      () => undefined,
      (problem: unknown) => problem,
    );
    t.ok(error instanceof MediaError, 'it is not taken');
    return error as MediaError;
  };
  return { files, asked, fetch, refusal };
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const PATH = 'media/default/2026-11/med_1.png';

t.test('a file is taken whose digest is the one that was announced, in hex or base64', async (t) => {
  for (const sha256 of [digest('a file'), Buffer.from(digest('a file'), 'hex').toString('base64')]) {
    const { files, fetch } = await provider(t, () => ({ sha256, file_size: 6 }));
    t.match(await fetch(), { path: PATH, bytes: 6, sha256: digest('a file') });
    t.ok(await files.get(PATH));
  }
});

t.test('a file with another digest is thrown away, and may be asked for again', async (t) => {
  const { files, refusal } = await provider(t, () => ({ sha256: digest('another file') }));
  t.match(await refusal(), { kind: 'later', code: 'MEDIA_CORRUPT' });
  await t.rejects(files.get(PATH), { code: 'FILE_MISSING' });
});

t.test('no address but the provider’s is asked for a file, and none is shown the token', async (t) => {
  const strange = [
    'http://169.254.169.254/latest/meta-data',
    'https://fbcdn.net.example.com/file',
    'https://evilfbcdn.net/file',
    'http://scontent.fbcdn.net/file',
    'https://scontent.fbcdn.net@127.0.0.1/file',
    'file:///etc/passwd',
    'nonsense',
  ];
  for (const url of strange) {
    const { asked, refusal } = await provider(t, () => ({ url }));
    t.match(await refusal(), { kind: 'refused', code: 'MEDIA_HOST_UNKNOWN' }, url);
    t.equal(asked.length, 1, 'only the look-up was made');
  }
});

t.test('a redirect is not followed', async (t) => {
  const { asked, refusal } = await provider(
    t,
    () => ({}),
    (request, response) => {
      if (request.url === '/file') response.writeHead(302, { location: '/elsewhere' });
      response.end('somebody else’s');
    },
  );
  t.match(await refusal(), { kind: 'later', code: 'MEDIA_UNREACHABLE' });
  t.notOk(asked.some(({ url }) => url === '/elsewhere'));
});

t.test(
  'an announced size that is too large is not fetched; one that was not announced ends at the limit',
  async (t) => {
    const announced = await provider(t, () => ({ file_size: 5 * MB + 1 }));
    t.match(await announced.refusal(), { kind: 'refused', code: 'MEDIA_TOO_LARGE' });
    t.notOk(announced.asked.some(({ url }) => url === '/file'));
    const endless = await provider(
      t,
      () => ({}),
      (_, response) => {
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
        };
        response.on('drain', more);
        more();
      },
    );
    t.match(await endless.refusal(), { kind: 'refused', code: 'MEDIA_TOO_LARGE' });
    await t.rejects(endless.files.get(PATH), { code: 'FILE_MISSING' });
  },
);

t.test('an address that has run out is asked for once more, then later', async (t) => {
  let left = 1;
  const { asked, fetch, refusal } = await provider(
    t,
    () => ({}),
    (_, response) => {
      if (left > 0) response.writeHead(404);
      left -= 1;
      response.end('a file');
    },
  );
  t.match(await fetch(), { bytes: 6 });
  t.equal(asked.filter(({ url }) => url.startsWith('/v26.0/')).length, 2);
  left = 10;
  t.match(await refusal(), { kind: 'later', code: 'MEDIA_URL_EXPIRED' });
});

t.test('a file that breaks off on its way is asked for again later, and nothing of it stays', async (t) => {
  const { files, refusal } = await provider(
    t,
    () => ({ file_size: 1000 }),
    (_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('the beginning', () => response.destroy());
    },
  );
  t.match(await refusal(), { kind: 'later', code: 'MEDIA_UNREACHABLE' });
  await t.rejects(files.get(PATH), { code: 'FILE_MISSING' });
});
