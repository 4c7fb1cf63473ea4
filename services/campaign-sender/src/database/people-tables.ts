import type { Flag } from './tables.ts';

/** Which contacts have a tag, for finding them; `contacts.tags` says the same for reading. */
export interface ContactTagsTable {
  merchantId: string;
  tag: string;
  contactId: string;
}

/** Every decision of a person, as it was told. `contact_consents` holds the latest of each purpose. */
export interface ConsentHistoryTable {
  id: string;
  merchantId: string;
  contactId: string;
  /** `marketing`, `service`, or `all` for an opt-out and its end. */
  purpose: string;
  granted: Flag;
  /** Who or what says so. */
  source: string;
  decidedAtMs: number;
  recordedAtMs: number;
}

/** Contacts that were found to be another one. */
export interface ContactMergesTable {
  mergedId: string;
  merchantId: string;
  /** The contact that there is: kept up to date when that one is merged itself. */
  survivorId: string;
  /** Why they are one: `message`, `user_id_update`, `shopify`, `custom`, `person`. */
  cause: string;
  /** JSON of the row as it was, and its identifiers. */
  snapshot: string;
  mergedAtMs: number;
}

/** Events for flows that wait for a file, and those that must not overtake them. */
export interface HeldEventsTable {
  contactId: string;
  sequence: number;
  merchantId: string;
  /** JSON of `flows`/handle-event. */
  payload: string;
  /** The file it waits for; null where it only waits for its turn. */
  mediaId: string | null;
  /** Then it goes without. */
  waitUntilMs: number;
}

/** Where a file of an inbound message is. */
export type MediaState = 'pending' | 'stored' | 'failed' | 'pruned';

/** Files of inbound messages. */
export interface InboundMediaTable {
  id: string;
  merchantId: string;
  contactId: string;
  messageId: string;
  senderId: string;
  /** The provider's id; it can be fetched for 7 days. */
  providerMediaId: string;
  /** `image`, `audio` … */
  type: string;
  mimeType: string | null;
  fileName: string | null;
  /** Hex. */
  sha256: string | null;
  bytes: number | null;
  /** In the file store. */
  path: string | null;
  state: MediaState;
  attempts: number;
  /** When it is to be fetched (again); null once its end is known. While it is being fetched: when somebody else may. */
  nextAttemptAtMs: number | null;
  failureCode: string | null;
  failureReason: string | null;
  createdAtMs: number;
  updatedAtMs: number;
}

/** Files to delete: written with the transaction that forgets them. */
export interface FileRemovalsTable {
  path: string;
  merchantId: string;
  /** Not before then. */
  createdAtMs: number;
}

/** What a merchant has set about people. */
export interface PeopleSettingsTable {
  merchantId: string;
  /** JSON of PeopleSettings. */
  settings: string;
  updatedAtMs: number;
}

/** The tables of people beside contacts themselves. */
export interface PeopleTables {
  contact_tags: ContactTagsTable;
  consent_history: ConsentHistoryTable;
  contact_merges: ContactMergesTable;
  held_events: HeldEventsTable;
  inbound_media: InboundMediaTable;
  file_removals: FileRemovalsTable;
  people_settings: PeopleSettingsTable;
}
