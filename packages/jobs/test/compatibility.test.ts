import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { readEnvelope } from '../src/envelope.ts';
import { catalog, checkPayload, type QueueName, queueNames, settingsOf } from '../src/index.ts';

/**
 * Fixtures are jobs as releases have written them to Redis. They are never edited: a release that changes a payload adds
 * `<job>.v2.json` beside the first. Each holds the richest form of the payload, then its barest.
 */
const fixtures = new URL('./fixtures/', import.meta.url);

const pinned = readdirSync(fixtures, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name: queue }) =>
    readdirSync(new URL(`${queue}/`, fixtures)).map((file) => ({
      queue,
      job: file.replace(/\.v\d+\.json$/, ''),
      file: `${queue}/${file}`,
    })),
  );

t.test('jobs of every earlier release still parse', async (t) => {
  for (const { queue, job, file } of pinned) {
    const jobs: unknown[] = JSON.parse(readFileSync(new URL(file, fixtures), 'utf8'));
    t.ok(jobs.length > 0, file);
    for (const [index, data] of jobs.entries())
      t.doesNotThrow(
        () => checkPayload(queue as QueueName, job, readEnvelope(data).payload),
        `${file} [${index}]`,
      );
  }
});

t.test('every job of the catalog is pinned by a fixture, and no fixture has lost its job', async (t) => {
  const declared = queueNames.flatMap((queue) =>
    Object.keys(catalog[queue].jobs).map((job) => `${queue}/${job}`),
  );
  const files = new Set(pinned.map(({ queue, job }) => `${queue}/${job}`));
  t.same([...files].toSorted(), declared.toSorted());
});

t.test(
  'ids by the rules of the catalog are the same for the same payload, and there are jobs without one',
  async (t) => {
    for (const { queue, job, file } of pinned) {
      const [first] = JSON.parse(readFileSync(new URL(file, fixtures), 'utf8'));
      const { jobId } = checkPayload(queue as QueueName, job, first.payload);
      if (!jobId) continue;
      const id = jobId(first.payload);
      t.type(id, 'string', file);
      t.equal(jobId(structuredClone(first.payload)), id);
    }
  },
);

t.test("the catalog says of R2's queues what R2 says", async (t) => {
  const attempts = {
    messages: 3,
    campaigns: 2,
    flows: 3,
    emails: 5,
    webhooks: 3,
    ai: 2,
    imports: 1,
    exports: 2,
    analytics: 2,
    notifications: 3,
  };
  for (const [queue, count] of Object.entries(attempts))
    t.equal(settingsOf(queue as QueueName).attempts, count, `${queue}: attempts`);
  t.equal(settingsOf('imports').timeoutMs, 600_000);
  t.equal(settingsOf('exports').timeoutMs, 300_000);
  for (const queue of queueNames) {
    const { attempts: allowed, backoffMs, defaultPriority, retention } = settingsOf(queue);
    if (!Object.hasOwn(attempts, queue)) t.equal(allowed, 3, `${queue}: attempts by default`);
    t.equal(backoffMs, queue === 'notifications' ? 1000 : 5000, `${queue}: backoff`);
    t.equal(defaultPriority !== undefined, queue === 'messages', `${queue}: priorities`);
    t.equal(retention.completed, 100, `${queue}: completed`);
    const untrimmed = ['inbound', 'receipts', 'contacts', 'control'].includes(queue);
    t.equal(retention.failed, untrimmed ? 'all' : 500, `${queue}: failed`);
  }
});

t.test('every queue has exactly one consumer, and a time limit', async (t) => {
  for (const queue of queueNames) {
    t.ok(catalog[queue].consumer, queue);
    t.ok(catalog[queue].timeoutMs > 0, queue);
  }
});
