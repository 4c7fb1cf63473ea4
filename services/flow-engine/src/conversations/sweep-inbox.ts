import type { Drain } from './create-drain.ts';
import type { Inbox } from './create-inbox.ts';

/** Contacts looked after in one sweep, and side by side. */
const CONTACTS_MOST = 500;
const SIDE_BY_SIDE = 8;

/**
 * Drains contacts whose inputs lie about: the process that had them died, or the time for a missing event is up. Replicas may sweep
 * at once; the lease decides.
 */
export async function sweepInbox(inbox: Inbox, drain: Drain, signal: AbortSignal): Promise<void> {
  const contacts = await inbox.listForgotten(CONTACTS_MOST);
  const rest = contacts.values();
  const work = async () => {
    for (const contact of rest) {
      if (signal.aborted) return;
      await drain(contact, signal);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
}
