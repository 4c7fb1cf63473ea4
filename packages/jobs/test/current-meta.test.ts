import t from 'tap';
import { inheritMeta, withMeta, withoutMeta } from '../src/current-meta.ts';
import type { JobToAdd } from '../src/job-types.ts';

const job = {
  queue: 'notifications',
  name: 'send-notification',
  payload: { notificationId: 'ntf_1', severity: 'info', title: 'Hello', text: 'Hello' },
} as unknown as JobToAdd;
const meta = {
  correlationId: 'c-1',
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  merchantId: 'mer_1',
};

t.test('what follows from a job carries its correlation and trace ids, but not its merchant', async (t) => {
  const inherited = await withMeta(meta, async () => {
    await Promise.resolve();
    return inheritMeta({ ...job, meta: { merchantId: 'mer_2' } });
  });
  t.same(inherited.meta, { ...meta, merchantId: 'mer_2' });
});

t.test('ids of its own win', async (t) => {
  const own = withMeta(meta, () => inheritMeta({ ...job, meta: { correlationId: 'c-2' } }));
  t.equal(own.meta?.correlationId, 'c-2');
});

t.test('outside a job, and in work that several share, there is nothing to inherit', async (t) => {
  t.equal(inheritMeta(job), job);
  t.equal(
    withMeta(meta, () => withoutMeta(() => inheritMeta(job))),
    job,
  );
});
