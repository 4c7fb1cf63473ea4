import { checkPayload, type JobToAdd } from '@switchyard/jobs';
import fc from 'fast-check';
import t from 'tap';
import { joinSends } from '../../src/runs/join-sends.ts';

const request = fc.record({
  merchantId: fc.constantFrom('a', 'b', undefined),
  lane: fc.constantFrom('flow', 'transactional', undefined),
  priority: fc.constantFrom(undefined, 6),
  correlationId: fc.constantFrom(undefined, 'c1', 'c2'),
  kind: fc.constantFrom('plain', 'plain', 'plain', 'read-back', 'later', 'own-id', 'nameless', 'other'),
});

const requests = fc.array(request, { maxLength: 120 }).map((list) =>
  list.map(({ merchantId, lane, priority, correlationId, kind }, index): JobToAdd => {
    const messageId = `run_${index}`;
    const meta = {
      ...(merchantId === undefined ? {} : { merchantId }),
      ...(correlationId === undefined ? {} : { correlationId }),
    };
    if (kind === 'other')
      return { queue: 'contacts', name: 'tag-contact', payload: { merchantId: 'a' } as never, meta };
    const options = {
      ...(priority === undefined ? {} : { priority }),
      ...(kind === 'read-back' ? { jobId: messageId } : {}),
      ...(kind === 'own-id' ? { jobId: `mine_${index}` } : {}),
      ...(kind === 'later' ? { delayMs: 1000 } : {}),
    };
    return {
      queue: 'messages',
      name: 'send-message',
      payload: {
        ...(merchantId === undefined ? {} : { merchantId }),
        ...(lane === undefined ? {} : { lane }),
        ...(kind === 'nameless' ? {} : { messageId }),
        to: `1555000${index}`,
        content: `text ${index}`,
      },
      ...(Object.keys(options).length === 0 ? {} : { options }),
      meta,
    };
  }),
);

const kindOf = (payload: { merchantId?: string | undefined; lane?: string | undefined }, job: JobToAdd) =>
  JSON.stringify([payload.merchantId, payload.lane, job.options?.priority]);

t.test('joined or not, every message is asked for once, as before, under its own ids', (t) => {
  fc.assert(
    fc.property(requests, (jobs) => {
      const told: unknown[] = [];
      const perKind = new Map<string, number>();
      for (const job of joinSends(jobs)) {
        if (job.name !== 'send-messages') {
          told.push(job);
          continue;
        }
        checkPayload('messages', job.name, job.payload);
        const { messages } = job.payload;
        if (messages.length < 2 || messages.length > 20) throw new Error(`${messages.length} in a job`);
        const kinds = new Set(messages.map(({ message }) => kindOf(message, job)));
        if (kinds.size > 1) throw new Error('messages that differ share a job');
        for (const kind of kinds) perKind.set(kind, (perKind.get(kind) ?? 0) + 1);
        if (job.meta?.merchantId !== messages[0]!.message.merchantId) throw new Error('another merchant');
        told.push(...messages.map((each) => ({ joined: each })));
      }
      const asBefore = (job: JobToAdd) =>
        told.some((each) => JSON.stringify(each) === JSON.stringify(job) || isJoined(each, job));
      const missing = jobs.find((job) => !asBefore(job));
      if (missing) throw new Error(`not asked for: ${JSON.stringify(missing)}`);
      if (told.length !== jobs.length) throw new Error(`${told.length} of ${jobs.length}`);
      // No more jobs than it takes.
      for (const [kind, count] of perKind) {
        const alike = jobs.filter((job) => isJoinable(job) && kindOf(job.payload as never, job) === kind);
        if (count !== Math.ceil(alike.length / 20) && count !== Math.floor(alike.length / 20))
          throw new Error(`${count} jobs for ${alike.length}`);
      }
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('a job of other messages is another job, whatever they have in common', (t) => {
  const ids = (messageIds: readonly string[]) => {
    const [job] = joinSends(
      messageIds.map((messageId) => ({
        queue: 'messages',
        name: 'send-message',
        payload: { messageId, to: '15550001', content: 'x' },
      })),
    );
    return checkPayload('messages', job!.name, job!.payload).jobId?.(job!.payload as never);
  };
  t.equal(ids(['a', 'b', 'c']), ids(['a', 'b', 'c']));
  t.not(ids(['a', 'b', 'c']), ids(['a', 'b', 'd']));
  t.not(ids(['a', 'b', 'c']), ids(['a', 'c', 'b']));
  const many = Array.from({ length: 20 }, (_, index) => `run_${'x'.repeat(30)}_${index}`);
  t.ok((ids(many) ?? '').length < 128, 'and not longer than an id may be');
  t.end();
});

function isJoinable({ name, payload, options = {} }: JobToAdd): boolean {
  const { messageId } = payload as { messageId?: string };
  return (
    name === 'send-message' &&
    messageId !== undefined &&
    (options.jobId ?? messageId) === messageId &&
    options.delayMs === undefined
  );
}

/** Whether a message of a joined job says what the job of its own said. */
function isJoined(each: unknown, job: JobToAdd): boolean {
  const { joined } = each as { joined?: { message: unknown; meta?: object } };
  if (!joined || !isJoinable(job)) return false;
  const { merchantId: _, ...meta } = job.meta ?? {};
  return (
    JSON.stringify(joined.message) === JSON.stringify(job.payload) &&
    JSON.stringify(joined.meta ?? {}) === JSON.stringify(meta)
  );
}
