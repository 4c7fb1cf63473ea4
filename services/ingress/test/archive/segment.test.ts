import fc from 'fast-check';
import t from 'tap';
import { type ArchiveEntry, packSegment, unpackSegment } from '../../src/archive/segment.ts';

t.test('property: what is packed comes back byte for byte, in order', async (t) => {
  const entry: fc.Arbitrary<ArchiveEntry> = fc.record({
    merchantId: fc.constant('mer_1'),
    kind: fc.constantFrom('whatsapp', 'shopify', 'custom'),
    appId: fc.string(),
    sourceKey: fc.string(),
    receivedAtMs: fc.nat(),
    headers: fc.dictionary(
      fc.string().filter((name) => name !== '__proto__'),
      fc.string({ unit: 'grapheme' }),
    ),
    body: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(entry), async (entries) => {
      t.same(await unpackSegment('mer_1', await packSegment(entries)), entries);
    }),
  );
});

t.test('webhooks of a kind pack well together', async (t) => {
  const body = (index: number) =>
    Buffer.from(
      JSON.stringify({
        object: 'whatsapp_business_account',
        entry: [{ id: `${index}`, changes: [{ field: 'messages' }] }],
      }),
    );
  const entries = Array.from({ length: 100 }, (_, index) => ({
    merchantId: 'm',
    kind: 'whatsapp' as const,
    appId: 'app_1',
    receivedAtMs: 1_763_660_000_000 + index,
    headers: {},
    body: body(index),
  }));
  const packed = await packSegment(entries);
  const raw = entries.reduce((sum, entry) => sum + entry.body.length, 0);
  t.ok(packed.length < raw / 3, `${packed.length} of ${raw} characters`);
});
