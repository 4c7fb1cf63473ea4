import { upsert } from '@switchyard/database';
import type { PeopleScope } from '../contacts/contact-book.ts';
import type { ContactRow } from '../contacts/contact-store.ts';
import type { Dialect } from '../database/scope.ts';
import type { ConversationsTable } from '../database/tables.ts';

/** How long free-form messages are allowed after a person wrote. */
export const WINDOW_MS = 24 * 60 * 60 * 1000;

/** The 24-hour windows of one transaction. */
export interface Windows {
  /** A person has written. The provider counts from his message; one that was delayed on its way to us opens less of a window. */
  open(contactId: string, senderId: string, occurredAtMs: number): void;
  endOf(contactId: string, senderId: string): number | undefined;
  save(): Promise<void>;
}

/** Reads the windows of contacts that are locked: nobody else changes them meanwhile. */
export async function createWindows(
  { trx }: PeopleScope,
  dialect: Dialect,
  pairs: readonly { contact: ContactRow; senderId: string }[],
): Promise<Windows> {
  const rows = new Map<string, ConversationsTable>();
  const changed = new Set<string>();
  const merchants = new Map(pairs.map(({ contact }) => [contact.id, contact.merchantId]));
  const key = (contactId: string, senderId: string) => `${contactId}/${senderId}`;
  if (merchants.size > 0)
    for (const row of await trx
      .selectFrom('conversations')
      .selectAll()
      .where('contactId', 'in', [...merchants.keys()])
      .execute())
      rows.set(key(row.contactId, row.senderId), row);
  return {
    open(contactId, senderId, occurredAtMs) {
      const id = key(contactId, senderId);
      const windowExpiresAtMs = occurredAtMs + WINDOW_MS;
      const known = rows.get(id);
      if (known && known.windowExpiresAtMs >= windowExpiresAtMs) return;
      const merchantId = merchants.get(contactId)!;
      rows.set(id, { contactId, senderId, merchantId, windowExpiresAtMs, lastInboundAtMs: occurredAtMs });
      changed.add(id);
    },
    endOf: (contactId, senderId) => rows.get(key(contactId, senderId))?.windowExpiresAtMs,
    async save() {
      await upsert(
        trx,
        dialect,
        'conversations',
        [...changed].sort().map((id) => rows.get(id)!),
        ['contactId', 'senderId'],
        ['windowExpiresAtMs', 'lastInboundAtMs'],
      );
    },
  };
}
