import { createSqliteDatabase, eachDatabase, until } from '@switchyard/test-kit';
import fc from 'fast-check';
import { sql } from 'kysely';
import t from 'tap';
import { createLeases, type Lease } from '../src/index.ts';
import { open, thing } from './helper.ts';

await eachDatabase(
  t,
  'a lease has one holder at a time, and every later one a greater fence',
  async (t, target) => {
    const database = await open(t, target);
    const leases = createLeases(database);
    /** Lets every lease run out, without the wait. */
    const expire = (name: string) =>
      sql`update leases set expiresAtMs = 1 where name = ${name} and expiresAtMs > 0`.execute(database.db);
    let run = 0;
    const step = fc.record({
      action: fc.constantFrom('acquire', 'acquire', 'renew', 'release', 'expire', 'check'),
      owner: fc.constantFrom('p', 'q', 'r'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const name = `lease-${run++}`;
        let holder: { lease: Lease; expired: boolean } | undefined;
        let fence = 0;
        const last = new Map<string, Lease>();
        const expectEqual = (found: unknown, wanted: unknown, what: string) => {
          if (found !== wanted) throw new Error(`${what}: ${found}, not ${wanted}`);
        };
        for (const { action, owner } of steps) {
          if (action === 'expire') {
            await expire(name);
            if (holder) holder.expired = true;
            continue;
          }
          if (action === 'acquire') {
            const lease = await leases.acquire(name, { owner, ttlMs: 60_000 });
            expectEqual(lease !== undefined, holder === undefined || holder.expired, 'acquired');
            if (!lease) continue;
            if (lease.fence <= fence) throw new Error(`fence went from ${fence} to ${lease.fence}`);
            fence = lease.fence;
            holder = { lease, expired: false };
            last.set(owner, lease);
            continue;
          }
          const lease = last.get(owner);
          if (!lease) continue;
          const isHeld = holder !== undefined && holder.lease.fence === lease.fence;
          if (action === 'renew') {
            expectEqual(await leases.renew(lease, 60_000), isHeld, 'renewed');
            if (holder && isHeld) holder.expired = false;
          } else if (action === 'release') {
            expectEqual(await leases.release(lease), isHeld, 'released');
            if (isHeld) holder = undefined;
          } else {
            const checked = await database
              .transaction((trx) => leases.check(trx, lease))
              .then(() => true)
              .catch((error) => (error.code === 'LEASE_LOST' ? false : Promise.reject(error)));
            expectEqual(checked, isHeld, 'checked');
          }
        }
      }),
      { numRuns: 80 },
    );
    t.pass();
  },
);

await eachDatabase(
  t,
  'racers for one lease: exactly one gets it, also when it has just run out',
  async (t, target) => {
    const leases = createLeases(await open(t, target));
    for (let round = 0; round < 20; round++) {
      const racers = Array.from({ length: 8 }, (_, i) =>
        leases.acquire('race', { owner: `o${i}`, ttlMs: 60_000 }),
      );
      const winners = (await Promise.all(racers)).filter((lease) => lease !== undefined);
      t.equal(winners.length, 1);
      t.equal(await leases.release(winners[0] as Lease), true);
    }
  },
);

await eachDatabase(t, 'a lease runs out by itself, and can be had again', async (t, target) => {
  const leases = createLeases(await open(t, target));
  const first = (await leases.acquire('x', { owner: 'a', ttlMs: 40 })) as Lease;
  const second = (await until(() => leases.acquire('x', { owner: 'b', ttlMs: 60_000 }), {
    what: 'expiry',
  })) as Lease;
  t.ok(second.fence > first.fence);
  t.equal(await leases.renew(first, 60_000), false);
});

await eachDatabase(
  t,
  'who waits for a lease that a transaction lets go gets it, and misses nothing',
  async (t, target) => {
    const database = await open(t, target);
    const { db, transaction } = database;
    const leases = createLeases(database);
    let handled = 0;
    /** The protocol of conversation order: put work in, then try to become the one who does it. */
    async function submit(i: number) {
      await db
        .insertInto('things')
        .values(thing(`w${i}`))
        .execute();
      const lease = await leases.acquire('worker', { owner: `o${i}`, ttlMs: 60_000 });
      if (!lease) return;
      for (let more = true; more; ) {
        more = await transaction(async (trx) => {
          await leases.check(trx, lease);
          const found = await trx.selectFrom('things').select('id').orderBy('id').limit(3).execute();
          if (found.length === 0) {
            await leases.release(lease, trx);
            return false;
          }
          const ids = found.map(({ id }) => id);
          await trx.deleteFrom('things').where('id', 'in', ids).execute();
          handled += ids.length;
          return true;
        });
      }
    }
    await Promise.all(Array.from({ length: 100 }, (_, i) => submit(i)));
    t.equal(handled, 100);
    t.same(await db.selectFrom('things').selectAll().execute(), [], 'nothing is left without a worker');
  },
);

await eachDatabase(t, 'purged leases go on with greater fences', async (t, target) => {
  const database = await open(t, target);
  const leases = createLeases(database);
  const held = (await leases.acquire('held', { owner: 'a', ttlMs: 60_000 })) as Lease;
  const gone = (await leases.acquire('gone', { owner: 'a', ttlMs: 60_000 })) as Lease;
  await leases.release(gone);
  await until(async () => (await leases.purge(1)) === 1, { what: 'the released one is old enough' });
  const again = (await leases.acquire('gone', { owner: 'b', ttlMs: 60_000 })) as Lease;
  t.ok(again.fence > gone.fence);
  t.equal(await leases.renew(held, 60_000), true);
  await t.rejects(leases.acquire('x', { owner: '', ttlMs: 1 }), TypeError);
});

t.test('leases on SQLite survive a reopening', async (t) => {
  const target = await createSqliteDatabase(t);
  const first = await open(t, target);
  t.ok(await createLeases(first).acquire('x', { owner: 'a', ttlMs: 60_000 }));
  await first.close();
  t.notOk(await createLeases(await open(t, target)).acquire('x', { owner: 'a', ttlMs: 60_000 }));
});

await eachDatabase(
  t,
  'a transaction claims the leases that are free, others wait for it, and a holder that has run out finds itself fenced off',
  async (t, target) => {
    const database = await open(t, target);
    const leases = createLeases(database);
    const held = await leases.acquire('held', { owner: 'p', ttlMs: 60_000 });
    const stale = await leases.acquire('stale', { owner: 'p', ttlMs: 60_000 });
    await sql`update leases set expiresAtMs = 1 where name = 'stale'`.execute(database.db);
    const isClaimed = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    let order = '';
    const claiming = database.transaction(async (trx) => {
      const names = await leases.claim(trx, ['stale', 'new', 'held', 'new']);
      isClaimed.resolve();
      await goOn.promise;
      order += 'claimer ';
      return names;
    });
    await isClaimed.promise;
    const waiter = leases.acquire('new', { owner: 'q', ttlMs: 60_000 }).finally(() => {
      order += 'waiter';
    });
    goOn.resolve();
    t.strictSame([...(await claiming)].toSorted(), ['new', 'stale']);
    t.ok(await waiter, 'with its end a claimed lease is free');
    t.equal(order, 'claimer waiter');
    t.equal(await leases.renew(stale!, 1000), false, 'the stale holder has lost it');
    t.equal(await leases.renew(held!, 1000), true, 'what was held still is');
    const fence = await leases.acquire('stale', { owner: 'q', ttlMs: 1000 });
    t.ok(fence && fence.fence > stale!.fence + 1, 'the claim took a fence of its own');
    t.strictSame(await database.transaction((trx) => leases.claim(trx, [])), new Set());
  },
);
