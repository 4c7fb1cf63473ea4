import type { JobPayload } from '@switchyard/jobs';
import type { ContactRow } from './contact-store.ts';

/** What a flow may know of a person. */
export type ContactSnapshot = JobPayload<'flows', 'handle-event'>['contact'];

/** Takes the snapshot that travels with an event. @param windowExpiresAtMs of the conversation the event belongs to. */
export function takeSnapshot(contact: ContactRow, windowExpiresAtMs: number | undefined): ContactSnapshot {
  const tags = JSON.parse(contact.tags) as string[];
  const attributes = JSON.parse(contact.attributes) as Record<string, unknown>;
  return {
    id: contact.id,
    address: contact.phone ?? contact.userId ?? contact.username ?? contact.id,
    optedOut: contact.optedOut === 1,
    ...(contact.phone === null ? {} : { phone: contact.phone }),
    ...(contact.userId === null ? {} : { userId: contact.userId }),
    ...(contact.name === null ? {} : { name: contact.name }),
    ...(contact.username === null ? {} : { username: contact.username }),
    ...(contact.email === null ? {} : { email: contact.email }),
    ...(contact.shopifyCustomerId === null ? {} : { shopifyCustomerId: contact.shopifyCustomerId }),
    ...(contact.externalId === null ? {} : { externalId: contact.externalId }),
    ...(contact.marketingOptedOut === 1 ? { marketingOptedOut: true } : {}),
    ...(contact.language === null ? {} : { language: contact.language }),
    ...(contact.timeZone === null ? {} : { timeZone: contact.timeZone }),
    ...(tags.length === 0 ? {} : { tags }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
    ...(windowExpiresAtMs === undefined ? {} : { windowExpiresAtMs }),
  };
}
