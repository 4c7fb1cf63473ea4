import { Readable } from 'node:stream';
import { createFileStore } from '@switchyard/files';
import { eachDatabase, silentLogger, until } from '@switchyard/test-kit';
import t from 'tap';
import type { Store } from '../../src/database/scope.ts';
import { buildApp, loadServiceConfig } from '../../src/index.ts';
import { pruneFiles } from '../../src/media-in/media-store.ts';
import { storeMedia } from '../../src/media-out/store-media.ts';
import { startSurroundings } from '../helper.ts';

const HOUR_MS = 3_600_000;

void eachDatabase(
  t,
  'a file whose process died before its row is deleted after some hours, one that is recorded stays',
  async (t, database) => {
    const around = await startSurroundings(t, database);
    const service = await buildApp(loadServiceConfig(around.env), { logger: silentLogger() });
    t.teardown(() => service.close());
    const { db, dialect } = service.database;
    let aheadMs = 0;
    const store: Store = {
      ...{ db, dialect, now: () => Date.now() + aheadMs },
      inScope: (work) => service.database.transaction((trx) => work({ trx, enqueue: () => undefined })),
    };
    const files = await createFileStore({ dataDir: database.dataDir });
    const incoming = (text: string) => ({
      ...{ merchantId: 'default', mimeType: 'text/plain', fileName: 'a.txt' },
      content: Readable.from([Buffer.from(text)]),
    });
    const paths: string[] = [];
    // It is written, and then its process is never heard of again.
    void storeMedia(
      store,
      {
        async put(path, content, options) {
          await files.put(path, content, options);
          paths.push(path);
          await new Promise(() => undefined);
        },
        delete: (path) => files.delete(path),
      },
      incoming('abandoned'),
    );
    await until(() => paths.length === 1, { what: 'the file is written' });
    const kept = await storeMedia(store, files, incoming('kept'));
    t.match(await storeMedia(store, files, incoming('kept')), { isNew: false, file: { id: kept.file.id } });
    const prune = () => pruneFiles(store, files, 90 * 24 * HOUR_MS, 100);
    t.equal(await prune(), 0, 'it may still be on its way');
    t.ok(await files.get(paths[0]!));
    aheadMs = 7 * HOUR_MS;
    t.equal(await prune(), 1);
    await t.rejects(files.get(paths[0]!), { code: 'FILE_MISSING' });
    t.ok(await files.get(kept.file.path));
    t.strictSame(await db.selectFrom('file_removals').selectAll().execute(), []);
  },
);
