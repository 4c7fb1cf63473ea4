import { createMetrics } from '@switchyard/service-kit';
import { eachDatabase, silentLogger, startRedis } from '@switchyard/test-kit';
import t from 'tap';
import { createArchiveStore } from '../../src/archive/create-archive-store.ts';
import { createArchiveWriter } from '../../src/archive/create-archive-writer.ts';
import type { ArchiveEntry } from '../../src/archive/segment.ts';
import { environmentOf, startIngress } from '../ingress.ts';

const entry = (index: number): ArchiveEntry => ({
  merchantId: 'mer_1',
  kind: 'whatsapp',
  appId: 'app_1',
  sourceKey: '100',
  receivedAtMs: index,
  headers: {},
  body: Buffer.from(`${index}`),
});

eachDatabase(t, 'the writer', async (t, database) => {
  const { runtime } = await startIngress(t, environmentOf(await startRedis(t), database));
  const store = createArchiveStore(runtime);

  await t.test('what comes while a write is under way is stored with one commit', async (t) => {
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const writer = createArchiveWriter({
      store: {
        async insert(entries) {
          begun.resolve();
          await gate.promise;
          await store.insert(entries);
        },
      },
      isStrict: true,
      metrics: createMetrics({ service: 'test' }),
      logger: silentLogger(),
    });
    const first = writer.write([entry(0)], 10_000);
    await begun.promise;
    const others = Array.from({ length: 60 }, (_, index) => writer.write([entry(index + 1)], 10_000));
    gate.resolve();
    await Promise.all([first, ...others]);
    const segments = await runtime.database.db.selectFrom('archive_segments').select('entries').execute();
    t.same(segments.map(({ entries }) => entries).toSorted(), [1, 60]);
    await writer.close();
  });
});
