/** Tables of ingress. Times are milliseconds since 1970; JSON is text; `sealed` columns are closed by the SecretBox. */
export interface IngressTables {
  merchants: MerchantRow;
  api_keys: ApiKeyRow;
  apps: AppRow;
  sources: SourceRow;
  unrouted_events: UnroutedEventRow;
  archive_segments: ArchiveSegmentRow;
  archive_replays: ArchiveReplayRow;
  queue_runs: QueueRunRow;
  subscriptions: SubscriptionRow;
  erasures: ErasureRow;
  erasure_acknowledgements: ErasureAcknowledgementRow;
  data_requests: DataRequestRow;
  data_request_parts: DataRequestPartRow;
}

/** What kinds of source there are. */
export type SourceKind = 'whatsapp' | 'shopify' | 'custom';

/** Who made a row: what the environment sets is written again at each start. */
export type ManagedBy = 'api' | 'environment';

export interface MerchantRow {
  id: string;
  name: string;
  /** 1: this merchant's webhooks are not archived. */
  archiveOff: number;
  createdAtMs: number;
}

export interface ApiKeyRow {
  id: string;
  merchantId: string;
  name: string;
  /** SHA-256 of the key, hex. Its 256 random bits need no slow hash. */
  keyHash: string;
  /** The first letters, to tell keys apart. */
  hint: string;
  /** JSON list. */
  scopes: string;
  createdAtMs: number;
  revokedAtMs: number | null;
}

/** An app at the provider: its secret signs the webhooks of all its numbers. */
export interface AppRow {
  id: string;
  merchantId: string;
  kind: string;
  name: string;
  sealedSecret: string;
  /** Accepted beside the current one while the secret is rotated, until `previousUntilMs`. */
  sealedPreviousSecret: string | null;
  previousUntilMs: number | null;
  /** SHA-256 of the verify token, hex; null where the app has none. */
  verifyTokenHash: string | null;
  /** JSON: how the merchant's own system signs; null for providers. */
  signature: string | null;
  managedBy: ManagedBy;
  createdAtMs: number;
  updatedAtMs: number;
}

/** A number, a shop or a system of the merchant's own that events come from. */
export interface SourceRow {
  id: string;
  merchantId: string;
  appId: string;
  kind: string;
  /** `phone_number_id`, the shop's domain, or the part of the path that can't be guessed. */
  sourceKey: string;
  /** The WhatsApp Business Account: routes updates that name no number. Belongs to one merchant. */
  accountKey: string | null;
  name: string | null;
  status: 'active' | 'disabled';
  statusReason: string | null;
  managedBy: ManagedBy;
  createdAtMs: number;
  updatedAtMs: number;
}

/** A signed event that could not be routed or read, whole. */
export interface UnroutedEventRow {
  id: string;
  kind: string;
  reason: string;
  appId: string;
  merchantId: string | null;
  sourceKey: string | null;
  field: string | null;
  body: string;
  bodyEncoding: 'utf8' | 'base64';
  bodyBytes: number;
  /** JSON object; null for sources that say everything in the body. */
  headers: string | null;
  receivedAtMs: number;
  replayedAtMs: number | null;
}

/** Webhooks of one merchant that came within about a second, packed. */
export interface ArchiveSegmentRow {
  id: string;
  merchantId: string;
  /** When the first and the last of them came. */
  fromMs: number;
  toMs: number;
  entries: number;
  packedBytes: number;
  packed: string;
}

/** A time range of the archive that is, or was, taken in again. */
export interface ArchiveReplayRow {
  id: string;
  /** Somebody asked for it, or the queue's Redis may have forgotten what it acknowledged. */
  reason: 'requested' | 'queue-restarted';
  /** Null: of all. */
  merchantId: string | null;
  kind: string | null;
  fromMs: number;
  toMs: number;
  notBeforeMs: number;
  /** The last segment that is done. */
  afterId: string;
  /** Counts what others change while one replica works at it. */
  round: number;
  accepted: number;
  unrouted: number;
  /** Refused for good, such as those of a source that belongs to another app by now. */
  refused: number;
  createdAtMs: number;
  /** Null again where it must begin anew. */
  startedAtMs: number | null;
  finishedAtMs: number | null;
}

/** One row: the run of the queue's Redis that all before was acknowledged by. */
export interface QueueRunRow {
  id: string;
  run: string;
  seenAtMs: number;
}

/** The event types a merchant's endpoints want. */
export interface SubscriptionRow {
  merchantId: string;
  version: number;
  /** JSON list. */
  eventTypes: string;
  updatedAtMs: number;
}

/** The erasure of a person or a shop, as asked for. */
export interface ErasureRow {
  id: string;
  merchantId: string;
  kind: 'person' | 'shop';
  shopDomain: string | null;
  /** JSON, sealed: it names the person. Empty once everyone has acknowledged. */
  sealedIdentifiers: string;
  requestedAtMs: number;
  recordedAtMs: number;
}

export interface ErasureAcknowledgementRow {
  erasureId: string;
  owner: string;
  merchantId: string;
  erasedRecords: number;
  completedAtMs: number;
}

/** A person's request for their data. */
export interface DataRequestRow {
  id: string;
  merchantId: string;
  /** JSON, sealed. */
  sealedIdentifiers: string;
  requestedAtMs: number;
}

/** What one owner has provided for a request. */
export interface DataRequestPartRow {
  requestId: string;
  owner: string;
  /** JSON, sealed. */
  sealedData: string;
  completedAtMs: number;
}
