import type { Generated } from 'kysely';
import type { MessageState } from '../messages/message-state.ts';
import type { WaitReason } from '../messages/wait-reason.ts';
import type { PeopleTables } from './people-tables.ts';

/** 0 or 1: neither database has a boolean. */
export type Flag = 0 | 1;

/** A number messages are sent from and received at. */
export interface SendersTable {
  id: string;
  merchantId: string;
  phoneNumberId: string;
  wabaId: string | null;
  displayPhoneNumber: string | null;
  /** Sealed; null for a number that was met in a webhook and that nobody gave a token. */
  accessToken: string | null;
  state: 'active' | 'paused';
  /** Code of the provider's error, or `person`. */
  pauseCode: string | null;
  pauseReason: string | null;
  pausedAtMs: number | null;
  /** Null: R2.1 until configured. */
  messagesPerSecond: number | null;
  /** The business portfolio that the tier belongs to; null: the account stands for it. */
  portfolioId: string | null;
  /** People outside a window that the portfolio may write to in 24 hours; null: no limit known. */
  peoplePerDay: number | null;
  /** When a paused number is asked about next; null where only a person resumes it. */
  probeAtMs: number | null;
  /** Probes since it was paused, for growing pauses. */
  probes: number | null;
  isDefault: Flag;
  /** What the provider says of the number; null until it was asked. */
  verifiedName: Generated<string | null>;
  nameStatus: Generated<string | null>;
  providerStatus: Generated<string | null>;
  qualityRating: Generated<string | null>;
  messagingLimitTier: Generated<string | null>;
  /** `STANDARD`, `HIGH`. */
  throughputLevel: Generated<string | null>;
  /** The rate is what the provider allows, and moves with it. */
  followsProvider: Generated<Flag>;
  probedAtMs: Generated<number | null>;
  /** Why the provider could not be asked the last time. */
  probeProblem: Generated<string | null>;
  /** Latest provider's time of a status for this number: receipts flow at least until then. */
  lastStatusAtMs: number;
  createdAtMs: number;
  updatedAtMs: number;
}

/** A person as one merchant knows him. */
export interface ContactsTable {
  id: string;
  merchantId: string;
  name: string | null;
  /** The identifiers of `contact_identifiers` that are current, one per kind, for reading. */
  phone: string | null;
  userId: string | null;
  username: string | null;
  email: string | null;
  shopifyCustomerId: string | null;
  /** The merchant's own id of the person. */
  externalId: string | null;
  language: string | null;
  timeZone: string | null;
  /** Wants no messages, for whatever reason of `suppressions`. */
  optedOut: Flag;
  /** Wants no marketing, by consent or preference. */
  marketingOptedOut: Flag;
  /** JSON array of strings. */
  tags: string;
  /** JSON object. */
  attributes: string;
  /** JSON object: when each field and attribute got its value. Two contacts that become one keep the later of each. */
  changedAt: string | null;
  /** Sequence number of the contact's latest event. */
  lastSequence: number;
  /** Events in `held_events`: while there are any, later ones wait there too. */
  heldEvents: number;
  /** Who has the conversation; null is automation. */
  handler: 'person' | null;
  /** Then automation has it again. */
  handlerUntilMs: number | null;
  handlerUserId: string | null;
  handlerReason: string | null;
  handlerSinceMs: number | null;
  /** When the person wrote last, as we accepted it; null for one who never did. */
  lastInboundAtMs: number | null;
  /** Messages since a person looked. */
  unreadCount: number;
  createdAtMs: number;
  updatedAtMs: number;
}

/** What a person can be found by; each value belongs to one contact of a merchant. */
export interface ContactIdentifiersTable {
  merchantId: string;
  kind: string;
  value: string;
  contactId: string;
  createdAtMs: number;
}

/** The latest decision of a person for a purpose. */
export interface ContactConsentsTable {
  contactId: string;
  purpose: string;
  merchantId: string;
  granted: Flag;
  source: string;
  decidedAtMs: number;
}

/** A contact and a number: the 24-hour window belongs to the pair. */
export interface ConversationsTable {
  contactId: string;
  senderId: string;
  merchantId: string;
  windowExpiresAtMs: number;
  lastInboundAtMs: number;
}

/** Addresses nothing is sent to. */
export interface SuppressionsTable {
  merchantId: string;
  kind: string;
  value: string;
  /** `marketing` leaves other messages alone. */
  scope: 'all' | 'marketing';
  reason: string;
  source: string;
  createdAtMs: number;
}

/** Every message, both ways. */
export interface MessagesTable {
  id: string;
  merchantId: string;
  direction: 'in' | 'out';
  contactId: string | null;
  senderId: string | null;
  addressKind: string;
  address: string;
  type: string;
  /** JSON: the Cloud API's object of the type. */
  content: string;
  state: MessageState;
  /** 1 (most urgent) to 10. */
  priority: number;
  lane: string;
  /** JSON of MessageOrigin. */
  origin: string | null;
  replyTo: string | null;
  onUnknown: 'resend' | 'fail';
  /** Calls begun. */
  attempts: number;
  /** Calls that ended in an error that may be tried again. */
  failures: number;
  /** Wake-ups so far; makes the next one's job id new. */
  turn: number;
  /** When somebody must look at the row again; null once it is settled. While it is being sent, when its call began. */
  nextAttemptAtMs: number | null;
  /** Why it was last put off, while it is queued. */
  waitReason: Generated<WaitReason | null>;
  expiresAtMs: number | null;
  /** Of an incoming message; those of an outgoing one are with its calls. */
  providerMessageId: string | null;
  failureCode: string | null;
  failureReason: string | null;
  /** JSON of the template to send when the window is closed. */
  templateFallback: Generated<string | null>;
  /** JSON of `{type, content}` that a template has taken the place of. */
  replaced: Generated<string | null>;
  /** Digest of the request under its Idempotency-Key. */
  requestHash: string | null;
  /** The contact's event number, of an inbound message. */
  sequence: number | null;
  createdAtMs: number;
  updatedAtMs: number;
}

/** How a call ended, or that it has not. `failed`: the provider took it, and a receipt told later that it came to nothing. */
export type AttemptState = 'open' | 'parked' | 'accepted' | 'rejected' | 'not-sent' | 'unknown' | 'failed';

/** Every call to the provider. */
export interface MessageAttemptsTable {
  messageId: string;
  attempt: number;
  senderId: string;
  state: AttemptState;
  startedAtMs: number;
  /** Since when the end is unknown. */
  unknownSinceMs: number | null;
  endedAtMs: number | null;
  providerMessageId: string | null;
  errorCode: string | null;
  cause: string | null;
}

/** Receipts and decisions; calls are in `message_attempts`. */
export interface MessageTimelineTable {
  messageId: string;
  state: string;
  attempt: number;
  occurredAtMs: number;
  recordedAtMs: number;
  cause: string;
  code: string | null;
  detail: string | null;
}

/** A WhatsApp Business Account of a merchant. */
export interface WhatsappAccountsTable {
  id: string;
  merchantId: string;
  wabaId: string;
  name: string | null;
  /** Sealed; used by its numbers that have no token of their own. */
  accessToken: string | null;
  /** When numbers and templates were last read whole. */
  syncedAtMs: number | null;
  nextSyncAtMs: number;
  /** In a row, until one works. */
  syncFailures: number;
  syncProblem: string | null;
  /** Since when flows are to be told of its templates; null once they were. */
  templatesTellAtMs: Generated<number | null>;
  /** Of the list that flows were told last. */
  templatesRevision: Generated<number>;
  createdAtMs: number;
  updatedAtMs: number;
}

/** A template in one language, as the provider last described it. */
export interface TemplatesTable {
  /** Made of account, name and language: the same template is the same row. */
  id: string;
  merchantId: string;
  wabaId: string;
  name: string;
  language: string;
  providerTemplateId: string | null;
  /** The provider's word. */
  status: string;
  statusReason: string | null;
  /** When the status was true: what is older does not replace it. */
  statusAtMs: number;
  category: string | null;
  quality: string | null;
  isNamed: Flag;
  /** JSON; null for one known only from a webhook or an error. */
  components: string | null;
  syncedAtMs: number | null;
  createdAtMs: number;
  /** Last change that sending must learn of. */
  updatedAtMs: number;
}

/** A file that messages may carry. */
export interface MediaFilesTable {
  id: string;
  merchantId: string;
  /** In the file store. */
  path: string;
  sha256: string;
  mimeType: string;
  bytes: number;
  fileName: string | null;
  createdAtMs: number;
}

/** What the provider has for a number: an id lives 30 days. */
export interface MediaUploadsTable {
  senderId: string;
  sha256: string;
  mimeType: string;
  mediaId: string;
  uploadedAtMs: number;
  expiresAtMs: number;
}

/** The answer to a request with an Idempotency-Key. */
export interface IdempotentRequestsTable {
  /** Made of merchant and key. */
  id: string;
  merchantId: string;
  requestHash: string;
  /** JSON. */
  answer: string;
  createdAtMs: number;
}

/** Shopify and custom events whose person is not known. */
export interface UnmatchedEventsTable {
  id: string;
  merchantId: string;
  kind: string;
  name: string;
  body: string;
  occurredAtMs: number;
  receivedAtMs: number;
}

/** Template, number and account updates as they came. */
export interface AccountUpdatesTable {
  id: string;
  merchantId: string;
  field: string;
  wabaId: string | null;
  phoneNumberId: string | null;
  value: string;
  occurredAtMs: number;
  receivedAtMs: number;
}

/** The event types that a merchant's endpoints want, as notifier has announced them. */
export interface EventSubscriptionsTable {
  merchantId: string;
  version: number;
  /** JSON array of patterns. */
  eventTypes: string;
  updatedAtMs: number;
}

/** Everything campaign-sender owns. */
export interface Tables extends PeopleTables {
  senders: SendersTable;
  contacts: ContactsTable;
  contact_identifiers: ContactIdentifiersTable;
  contact_consents: ContactConsentsTable;
  conversations: ConversationsTable;
  suppressions: SuppressionsTable;
  messages: MessagesTable;
  message_attempts: MessageAttemptsTable;
  message_timeline: MessageTimelineTable;
  whatsapp_accounts: WhatsappAccountsTable;
  templates: TemplatesTable;
  media_files: MediaFilesTable;
  media_uploads: MediaUploadsTable;
  idempotent_requests: IdempotentRequestsTable;
  unmatched_events: UnmatchedEventsTable;
  account_updates: AccountUpdatesTable;
  event_subscriptions: EventSubscriptionsTable;
}
