import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { createApplyInput } from '../src/conversations/apply-input.ts';
import { createInbox, leaseName, toInboxRow } from '../src/conversations/create-inbox.ts';
import { createTakeInput } from '../src/conversations/take-input.ts';
import { createFlowCache } from '../src/definitions/create-flow-cache.ts';
import { type Engine, message, phoneOf, sentTexts, settled, startEngine } from './helper.ts';

const contact = { merchantId: 'default', contactId: 'con_1' };

/** The row of an event as a process leaves it that dies right after recording it. */
function rowOf(sequence: number, text: string) {
  const payload = message('con_1', sequence, text);
  return {
    ...toInboxRow('event', contact, { key: payload.eventId, sequence, payload }),
    lookAtMs: Date.now(),
  };
}

function partsOf({ runtime }: Engine) {
  const { database, outbox, leases, processedJobs } = runtime;
  const flows = createFlowCache(database.db);
  const inbox = createInbox({ database, processedJobs });
  const applyInput = createApplyInput({
    outbox,
    dialect: database.dialect,
    leases,
    flows,
    inbox,
    takeInput: createTakeInput({ flows }),
    gapWaitMs: 30_000,
    sendOrderWaitMs: 30_000,
  });
  return { inbox, applyInput, leases };
}

eachDatabase(
  t,
  'what a dead process left in an inbox is taken over when its lease has run out, and not before',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const { inbox, leases } = partsOf(engine);
    const lease = await leases.acquire(leaseName(contact), { owner: 'dead', ttlMs: 2500 });
    t.ok(lease);
    const recordedAt = performance.now();
    await inbox.put(rowOf(1, 'hello'));
    await engine.tell(message('con_1', 2, 'my order'));
    await until(async () => (await sentTexts(engine)).get(phoneOf('con_1'))?.length === 2, {
      what: 'the conversation to be taken over',
    });
    t.ok(performance.now() - recordedAt > 2000, 'the lease was respected');
    await settled(engine);
    t.equal(await leases.renew(lease!, 1000), false, 'the dead would find that it has lost the lease');
  },
);

eachDatabase(t, 'a holder that has lost its lease can write nothing any more', async (t, database) => {
  const engine = await startEngine(t, database);
  const { applyInput, leases } = partsOf(engine);
  const slow = await leases.acquire(leaseName(contact), { owner: 'slow', ttlMs: 1 });
  const next = await until(() => leases.acquire(leaseName(contact), { owner: 'next', ttlMs: 60_000 }), {
    what: 'the lease to run out',
  });
  const { db } = engine.runtime.database;
  const fresh = { row: rowOf(1, 'hello'), inContext: (work: () => void) => work() };
  for (const work of [
    () => applyInput.fromInbox(slow!, rowOf(1, 'hello'), { isLast: false }),
    () => applyInput.fromInbox(slow!, rowOf(1, 'hello'), { isLast: true }),
  ])
    await t.rejects(work(), { code: 'LEASE_LOST' });
  for (const table of ['runs', 'runJournal', 'conversations', 'inbox', 'outbox'] as const)
    t.strictSame(await db.selectFrom(table).selectAll().execute(), [], table);
  t.equal((await applyInput.together([fresh])).size, 0, 'what another process holds is left to it');
  t.ok(await leases.release(next));
  const applied = await applyInput.together([fresh]);
  t.match(applied.get(fresh.row.id), { outcome: 'started', isReleased: true, hasMore: false });
  const again = await applyInput.together([fresh]);
  t.match(again.get(fresh.row.id), { outcome: 'repeated', hasMore: false });
  const late = await leases.acquire(leaseName(contact), { owner: 'late', ttlMs: 1 });
  await until(async () => (await applyInput.together([{ ...fresh, row: rowOf(2, 'my order') }])).size === 1, {
    what: 'the late one to run out',
  });
  await t.rejects(
    applyInput.fromInbox(late!, rowOf(3, 'hello'), { isLast: true }),
    { code: 'LEASE_LOST' },
    'an input that came meanwhile has passed it',
  );
});
