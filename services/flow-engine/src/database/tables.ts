import type { LeasesTable } from '@switchyard/database';
import type { Wait } from '@switchyard/flows';
import type { OutboxTables } from '@switchyard/outbox';
import type { ShopsTable } from '../shopify/tables.ts';

/** What a run waits for. */
export type WaitKind = Wait['kind'];

/** A flow: its versions hold what it does. */
export interface FlowsTable {
  id: string;
  merchantId: string;
  /** Of the newest version. */
  name: string;
  state: 'active' | 'archived';
  /** The version that new runs start on. */
  publishedVersion: number | null;
  draftVersion: number | null;
  latestVersion: number;
  createdAtMs: number;
  updatedAtMs: number;
}

/** One version of a flow. Once it has left `draft`, its definition never changes: runs stay on it. */
export interface FlowVersionsTable {
  flowId: string;
  version: number;
  merchantId: string;
  status: 'draft' | 'published' | 'archived';
  definition: string;
  createdAtMs: number;
  updatedAtMs: number;
}

/** What came for a contact and has not been applied. Deleted in the transaction of its effect. */
export interface InboxTable {
  /** Of kind and event, start or wait: the same input is one row. */
  id: string;
  merchantId: string;
  contactId: string;
  /** Place among the contact's events; 0 for what has none (a timer, a start) and goes first. */
  sequence: number;
  kind: 'event' | 'start' | 'timer' | 'handover' | 'outcome';
  payload: string;
  insertedAtMs: number;
  /** When a sweeper should look, if nobody has applied it until then. */
  lookAtMs: number;
}

/** Where a contact's conversation is. */
export interface ConversationsTable {
  merchantId: string;
  contactId: string;
  /** Of the newest event that was applied. */
  lastSequence: number;
  /** The session's messages as JSON; Redis holds a copy. */
  session: string;
  sessionUpdatedAtMs: number;
  /** Messages that wait for the one before them, as JSON. */
  sendQueue: string | null;
  /** When the next of them goes out even if nothing was heard of the one before. */
  sendQueueDueAtMs: number | null;
  /** `person`: automation rests, until `handlerUntilMs` where that is set. Null: automation. */
  handler: 'person' | 'automation' | null;
  handlerUntilMs: number | null;
  /** The run that is about to answer and waits for a call: what the person says meanwhile waits for it, until then at most. */
  busyRunId: string | null;
  busyUntilMs: number | null;
  /**
   * The contact was merged into this one: what comes for it is passed on, and the rest of the row means nothing. Its own id: inputs of a
   * contact that was merged into it wait in its inbox, and go first.
   */
  mergedIntoId: string | null;
}

/** One run of a flow for one contact. */
export interface RunsTable {
  id: string;
  merchantId: string;
  contactId: string;
  flowId: string;
  flowVersion: number;
  status: 'waiting' | 'finished' | 'failed' | 'cancelled';
  /** Why it failed or was cancelled. */
  reasonCode: string | null;
  reason: string | null;
  state: string;
  /** The contact as of the last event. */
  contact: string;
  senderId: string | null;
  waitId: string | null;
  waitKind: WaitKind | null;
  /** When its timer is to be queued; moved on when it has been. */
  dueAtMs: number | null;
  /** An input that came while a person had taken over; taken once automation is back. */
  heldInput: string | null;
  /** Of runs with the same group one contact has one at a time. */
  exclusionGroup: string | null;
  /** How many runs have set each other off before this one; null: none. */
  chainDepth: number | null;
  /** Inputs in the journal. */
  inputs: number;
  createdAtMs: number;
  updatedAtMs: number;
}

/** One input of a run and what it did. */
export interface RunJournalTable {
  runId: string;
  /** 1 for the start. */
  number: number;
  input: string;
  contact: string;
  steps: string;
  /** With the ids under which they were asked for. */
  effects: string;
  atMs: number;
}

/** When a flow's schedule trigger fires next. Rows follow what is published. */
export interface SchedulesTable {
  /** Of flow and place of the trigger. */
  id: string;
  merchantId: string;
  flowId: string;
  /** The trigger, as JSON. */
  settings: string;
  nextAtMs: number;
}

/** How a message ended that a run asked for, where campaign-sender told. */
export interface RunMessagesTable {
  messageId: string;
  runId: string;
  stepId: string;
  outcome: string;
  reason: string | null;
  decidedAtMs: number;
}

/** What runs of one version of a flow have come to at one node, on one day. `waiting` is a change: all days together make the number. */
export interface FlowCountersTable {
  flowId: string;
  flowVersion: number;
  /** Empty: the flow as a whole. */
  node: string;
  /** Days since 1970, UTC; 0 for those long past. */
  day: number;
  shard: number;
  entered: number;
  waiting: number;
  finished: number;
  failed: number;
  cancelled: number;
}

/** An AI provider of a merchant. */
export interface AiProvidersTable {
  id: string;
  merchantId: string;
  name: string;
  /** The lowest is asked first. */
  position: number;
  baseUrl: string;
  apiKeySealed: string | null;
  model: string;
  transcriptionModel: string | null;
  tokenLimitParameter: 'max_tokens' | 'max_completion_tokens';
  /** In the currency's units, for a million tokens. */
  inputPrice: number;
  outputPrice: number;
  /** For a minute of speech. */
  minutePrice: number;
  state: 'enabled' | 'disabled';
  origin: 'api' | 'environment';
  createdAtMs: number;
  updatedAtMs: number;
}

/** What AI was used for on one day, and what it cost. */
export interface AiUsageTable {
  merchantId: string;
  /** `YYYY-MM-DD`, UTC. */
  day: string;
  providerId: string;
  model: string;
  purpose: 'reply' | 'classify' | 'transcribe';
  calls: number;
  failures: number;
  inputTokens: number;
  outputTokens: number;
  audioSeconds: number;
  /** Millionths of the currency's unit. */
  costMicros: number;
}

/** The message templates of one account, as campaign-sender told last. */
export interface TemplateSetsTable {
  merchantId: string;
  wabaId: string;
  revision: number;
  /** As JSON, as the job has them. */
  templates: string;
  updatedAtMs: number;
}

/** A secret of a merchant, for its flows' HTTP requests. */
export interface FlowSecretsTable {
  merchantId: string;
  name: string;
  valueSealed: string;
  createdAtMs: number;
  updatedAtMs: number;
}

/** What a merchant may use up of AI on one day; null: without a limit. */
export interface AiBudgetsTable {
  merchantId: string;
  dailyTokens: number | null;
  dailyCostMicros: number | null;
  updatedAtMs: number;
}

export interface FlowTables extends OutboxTables {
  aiProviders: AiProvidersTable;
  aiUsage: AiUsageTable;
  shops: ShopsTable;
  flows: FlowsTable;
  flowVersions: FlowVersionsTable;
  inbox: InboxTable;
  conversations: ConversationsTable;
  runs: RunsTable;
  runJournal: RunJournalTable;
  runMessages: RunMessagesTable;
  flowCounters: FlowCountersTable;
  schedules: SchedulesTable;
  leases: LeasesTable;
  templateSets: TemplateSetsTable;
  flowSecrets: FlowSecretsTable;
  aiBudgets: AiBudgetsTable;
}
