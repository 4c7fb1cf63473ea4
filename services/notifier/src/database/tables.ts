/** Where a merchant wants events. */
export interface EndpointsTable {
  id: string;
  merchantId: string;
  url: string;
  description: string;
  /** JSON array; `*` stands for every type, `message.*` for a family. */
  eventTypes: string;
  state: 'enabled' | 'disabled';
  /** Why it is disabled. */
  stateReason: string | null;
  secretSealed: string;
  /** The secret before the last rotation; signed with too until it expires. */
  previousSecretSealed: string | null;
  previousSecretExpiresAtMs: number | null;
  createdAtMs: number;
  updatedAtMs: number;
}

/** One event on its way to one endpoint. */
export interface DeliveriesTable {
  id: string;
  merchantId: string;
  endpointId: string;
  /** The same over all retries: `webhook-id`. */
  eventId: string;
  eventType: string;
  /** The body as it is signed and sent. */
  body: string;
  state: 'pending' | 'delivered' | 'failed';
  attempts: number;
  /** Grows with every wake-up, so that each has a job id of its own. */
  turn: number;
  lastStatus: number | null;
  lastError: string | null;
  createdAtMs: number;
  updatedAtMs: number;
}

/** One try of a delivery. */
export interface DeliveryAttemptsTable {
  deliveryId: string;
  attempt: number;
  startedAtMs: number;
  durationMs: number;
  status: number | null;
  error: string | null;
}

/** What the operators were told. */
export interface NotificationsTable {
  id: string;
  merchantId: string | null;
  key: string;
  severity: 'info' | 'warning' | 'critical';
  title: string;
  body: string | null;
  occurredAtMs: number;
  recordedAtMs: number;
}

/** One email. */
export interface EmailsTable {
  /** The `emailId` of who asked for it. */
  id: string;
  merchantId: string;
  /** JSON array. */
  addressees: string;
  subject: string;
  text: string | null;
  html: string | null;
  replyTo: string | null;
  state: 'pending' | 'sent' | 'failed';
  attempts: number;
  /** Grows with every wake-up, so that each has a job id of its own. */
  turn: number;
  lastError: string | null;
  createdAtMs: number;
  updatedAtMs: number;
}

/** Versions of what ingress was told of a merchant's subscriptions. */
export interface SubscriptionVersionsTable {
  merchantId: string;
  version: number;
}

export interface NotifierTables {
  endpoints: EndpointsTable;
  deliveries: DeliveriesTable;
  deliveryAttempts: DeliveryAttemptsTable;
  notifications: NotificationsTable;
  emails: EmailsTable;
  subscriptionVersions: SubscriptionVersionsTable;
}
