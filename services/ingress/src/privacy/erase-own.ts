import type { Database, Leases } from '@switchyard/database';
import { createPersonFinder } from '@switchyard/jobs';
import type { ForgetPerson } from '@switchyard/runtime';
import type { ArchiveStore } from '../archive/create-archive-store.ts';
import type { IngressTables } from '../database/tables.ts';
import type { Erasures } from './create-erasures.ts';

/** What has come when the erasure was recorded may reach the archive a little later. */
const SETTLE_MS = 3000;
const LEASE = 'erase-own';
const LEASE_MS = 60_000;
const AT_ONCE = 100;

/** What an erasure is about, as entries of ingress show it. */
interface Target {
  readonly merchantId: string;
  isMeant(entry: { kind: string; sourceKey: string | null; text: string }): boolean;
}

/**
 * Does ingress' own part of erasures: takes what names the person, or came from the shop, out of the archive, the unrouted events and
 * the failed jobs, and acknowledges. What names nobody is found by reading all that is kept of the merchant, in steps, one replica at a
 * time.
 */
export async function eraseOwn(
  settings: {
    database: Database<IngressTables>;
    archive: Pick<ArchiveStore, 'segments' | 'take'>;
    erasures: Pick<Erasures, 'pending' | 'acknowledge'>;
    leases: Leases;
    owner: string;
    forgetPerson: ForgetPerson;
  },
  signal: AbortSignal,
): Promise<void> {
  const { database, archive, erasures, leases, owner, forgetPerson } = settings;
  const { db } = database;
  const pending = await erasures.pending(Date.now() - SETTLE_MS);
  if (pending.length === 0) return;
  const lease = await leases.acquire(LEASE, { owner, ttlMs: LEASE_MS });
  if (!lease) return;

  /** @returns undefined when it was interrupted. */
  async function eraseArchive({ merchantId, isMeant }: Target): Promise<number | undefined> {
    let erased = 0;
    let afterId = '';
    for (;;) {
      if (signal.aborted || !(await leases.renew(lease!, LEASE_MS))) return undefined;
      const range = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, merchantId, afterId, limit: AT_ONCE };
      const segments = await archive.segments(range);
      for (const segment of segments) {
        erased += await archive.take(segment, ({ kind, sourceKey, body }) =>
          isMeant({ kind, sourceKey: sourceKey ?? null, text: body.toString('utf8') }),
        );
        afterId = segment.id;
      }
      if (segments.length < AT_ONCE) return erased;
    }
  }

  /** Those that no source was found for have no merchant yet, so they are looked at too. */
  async function eraseUnrouted({ merchantId, isMeant }: Target): Promise<number | undefined> {
    let erased = 0;
    let afterId = '';
    for (;;) {
      if (signal.aborted || !(await leases.renew(lease!, LEASE_MS))) return undefined;
      const rows = await db
        .selectFrom('unrouted_events')
        .select(['id', 'kind', 'sourceKey', 'body', 'bodyEncoding'])
        .where('id', '>', afterId)
        .where((eb) => eb.or([eb('merchantId', '=', merchantId), eb('merchantId', 'is', null)]))
        .orderBy('id')
        .limit(AT_ONCE)
        .execute();
      const ids = rows
        .filter(({ kind, sourceKey, body, bodyEncoding }) =>
          isMeant({ kind, sourceKey, text: Buffer.from(body, bodyEncoding).toString('utf8') }),
        )
        .map(({ id }) => id);
      if (ids.length > 0) await db.deleteFrom('unrouted_events').where('id', 'in', ids).execute();
      erased += ids.length;
      if (rows.length < AT_ONCE) return erased;
      afterId = rows.at(-1)!.id;
    }
  }

  try {
    for (const { id, merchantId, kind, shopDomain, identifiers } of pending) {
      const isNamed = createPersonFinder(identifiers);
      const forgotten = await forgetPerson(merchantId, identifiers);
      const target: Target = {
        merchantId,
        isMeant: (entry) =>
          kind === 'shop' ? entry.kind === 'shopify' && entry.sourceKey === shopDomain : isNamed(entry.text),
      };
      const archived = await eraseArchive(target);
      const unrouted = archived === undefined ? undefined : await eraseUnrouted(target);
      if (archived === undefined || unrouted === undefined) return;
      await erasures.acknowledge({
        erasureId: id,
        merchantId,
        owner: 'ingress',
        erasedRecords: forgotten + archived + unrouted,
        completedAtMs: Date.now(),
      });
    }
  } finally {
    await leases.release(lease);
  }
}
