import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { checkPath, createFileStore, type FileStore } from '../src/index.ts';

async function onDisk(t: Test): Promise<{ store: FileStore; folder: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'switchyard-files-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  return { store: await createFileStore({ dataDir }), folder: join(dataDir, 'files') };
}

/** What the store needs of S3, as it is spoken on the wire. */
async function likeS3(t: Test): Promise<{ store: FileStore; objects: Map<string, Buffer> }> {
  const objects = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    const key = decodeURIComponent(new URL(request.url!, 'http://s3').pathname);
    const body = await buffer(request);
    if (!/^AWS4-HMAC-SHA256 Credential=key\//.test(request.headers.authorization ?? '')) {
      response.writeHead(403).end();
      return;
    }
    if (request.method === 'PUT') {
      objects.set(key, body);
      response.end();
    } else if (request.method === 'DELETE') {
      objects.delete(key);
      response.writeHead(204).end();
    } else if (objects.has(key)) response.end(objects.get(key));
    else response.writeHead(404).end('<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const store = await createFileStore({
    dataDir: '/nowhere',
    filesUrl: `s3://bucket/some/prefix?endpoint=${endpoint}&region=eu-central-1`,
    awsAccessKeyId: 'key',
    awsSecretAccessKey: 'secret',
  });
  return { store, objects };
}

for (const [name, open] of [
  ['on disk', onDisk],
  ['in S3', likeS3],
] as const)
  t.test(`${name}: what is put comes back byte by byte, is replaced, and is gone once deleted`, async (t) => {
    const { store } = await open(t);
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));
    await store.put('media/a/1.bin', bytes, { mimeType: 'image/png' });
    t.ok((await buffer(await store.get('media/a/1.bin'))).equals(bytes));
    await store.put('media/a/1.bin', Readable.from([bytes.subarray(0, 10), bytes.subarray(10, 30)]), {
      bytes: 30,
    });
    t.ok((await buffer(await store.get('media/a/1.bin'))).equals(bytes.subarray(0, 30)));
    await store.delete('media/a/1.bin');
    await store.delete('media/a/1.bin');
    await t.rejects(store.get('media/a/1.bin'), { code: 'FILE_MISSING' });
    for (const path of ['../x', '/etc/passwd', 'a/../b', '.hidden', '', 'a//b', 'a b'])
      await t.rejects(store.put(path, bytes), { code: 'FILE_PATH_INVALID' }, path);
  });

t.test('a stream that breaks leaves nothing, not even half a file, and its own error', async (t) => {
  const { store, folder } = await onDisk(t);
  async function* broken() {
    yield Buffer.alloc(1000);
    throw new Error('the line went dead');
  }
  await t.rejects(store.put('a/b', Readable.from(broken())), { message: 'the line went dead' });
  await t.rejects(store.get('a/b'), { code: 'FILE_MISSING' });
  t.strictSame(await readdir(join(folder, 'unfinished')), []);
});

t.test('a store that does not answer is away, not broken', async (t) => {
  const store = await createFileStore({
    dataDir: '/nowhere',
    filesUrl: 's3://bucket?endpoint=http://127.0.0.1:1',
    awsAccessKeyId: 'key',
    awsSecretAccessKey: 'secret',
  });
  await t.rejects(store.put('a', Buffer.from('x')), { code: 'FILES_AWAY', outcome: 'later' });
});

t.test('settings that cannot be meant are refused by the name of the variable', async (t) => {
  const refused = async (filesUrl: string, keys: object, variable: string) => {
    const error = await createFileStore({ dataDir: '.', filesUrl, ...keys }).catch((thrown) => thrown);
    t.match(error, { name: 'ConfigError', variable }, filesUrl);
  };
  await refused('s3://bucket', { awsAccessKeyId: 'key' }, 'AWS_SECRET_ACCESS_KEY');
  await refused('s3://bucket', { awsSecretAccessKey: 'secret' }, 'AWS_ACCESS_KEY_ID');
  await refused('s3://bucket?regoin=x', {}, 'FILES_URL');
  await refused('s3://bucket?endpoint=ftp://x', {}, 'FILES_URL');
  t.match((await createFileStore({ dataDir: '.', filesUrl: 'file:/a/b' })).location, '/a/b');
  t.match((await createFileStore({ dataDir: '.', filesUrl: 'file:./a' })).location, join(process.cwd(), 'a'));
});

t.test('no path that passes leads out of the store', async (t) => {
  const anything = fc.oneof(
    fc.string(),
    fc
      .array(fc.constantFrom('..', '.', 'a', '/', '\\', '~', '\0', 'b.c', '%2e'), { maxLength: 8 })
      .map((parts) => parts.join('')),
  );
  const staysInside = fc.property(anything, (path) => {
    try {
      checkPath(path);
    } catch {
      return true;
    }
    return join('/store', path) === `/store/${path}` && !path.includes('\\') && !path.includes('\0');
  });
  t.doesNotThrow(() => fc.assert(staysInside));
});
