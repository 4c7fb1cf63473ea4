import type { Directory, KnownSource } from '../merchants/create-directory.ts';
import type { WebhookEvent } from './split-payload.ts';

/** An event and where it goes, if anywhere. */
export interface ResolvedEvent {
  readonly event: WebhookEvent;
  readonly source: KnownSource | undefined;
}

/**
 * Finds the source of each event: by its number, and where it names none (template and account updates), by its account.
 *
 * @returns a promise where some source must be asked for.
 * @throws what the directory throws while the database is away.
 */
export function resolveSources(
  events: readonly WebhookEvent[],
  directory: Pick<Directory, 'source' | 'account'>,
): ResolvedEvent[] | Promise<ResolvedEvent[]> {
  const byNumber = new Map<string, KnownSource | undefined>();
  const byAccount = new Map<string, KnownSource | undefined>();
  const asked: Promise<void>[] = [];
  for (const { phoneNumberId, wabaId } of events) {
    const key = phoneNumberId ?? wabaId;
    if (key === undefined) continue;
    const found = phoneNumberId === undefined ? byAccount : byNumber;
    if (found.has(key)) continue;
    const source =
      phoneNumberId === undefined ? directory.account('whatsapp', key) : directory.source('whatsapp', key);
    if (source instanceof Promise) {
      found.set(key, undefined);
      asked.push(source.then((value) => void found.set(key, value)));
    } else found.set(key, source);
  }
  const resolve = () =>
    events.map((event): ResolvedEvent => {
      const { phoneNumberId, wabaId } = event;
      const source = phoneNumberId === undefined ? byAccount.get(wabaId ?? '') : byNumber.get(phoneNumberId);
      return { event, source };
    });
  return asked.length === 0 ? resolve() : Promise.all(asked).then(resolve);
}
