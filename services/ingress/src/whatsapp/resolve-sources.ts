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
 * @throws what the directory throws while the database is away.
 */
export async function resolveSources(
  events: readonly WebhookEvent[],
  directory: Pick<Directory, 'source' | 'account'>,
): Promise<ResolvedEvent[]> {
  const found = new Map<string, KnownSource | undefined>();
  const keyOf = ({ phoneNumberId, wabaId }: WebhookEvent): string | undefined => {
    if (phoneNumberId !== undefined) return `n${phoneNumberId}`;
    return wabaId === undefined ? undefined : `a${wabaId}`;
  };
  const keys = new Set(events.map(keyOf).filter((key) => key !== undefined));
  await Promise.all(
    [...keys].map(async (key) => {
      const id = key.slice(1);
      const source = key.startsWith('n')
        ? directory.source('whatsapp', id)
        : directory.account('whatsapp', id);
      found.set(key, await source);
    }),
  );
  return events.map((event) => ({ event, source: found.get(keyOf(event) ?? '') }));
}
