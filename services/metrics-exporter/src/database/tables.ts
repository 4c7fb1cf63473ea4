/** Figures of one finished period, from the service that owns the facts. */
export interface AnalyticsSnapshotsTable {
  merchantId: string;
  /** The service whose facts were counted. */
  owner: string;
  period: 'day' | 'week' | 'month';
  startsAtMs: number;
  endsAtMs: number;
  /** JSON object: name → number. */
  figures: string;
  recordedAtMs: number;
}

/** What an operator did on the dashboard. */
export interface BoardActionsTable {
  id: string;
  /** The login's name. */
  operator: string;
  method: string;
  /** The route's pattern under /admin/queues. */
  action: string;
  queue: string | null;
  jobId: string | null;
  /** JSON object: what else the path named. */
  params: string;
  /** HTTP status of the answer; null while under way, and for good when the process died. */
  status: number | null;
  requestId: string;
  correlationId: string;
  address: string;
  atMs: number;
}

export interface MetricsExporterTables {
  analyticsSnapshots: AnalyticsSnapshotsTable;
  boardActions: BoardActionsTable;
}
