/** Sums over queues. */
export interface QueueTotals {
  waiting: number;
  active: number;
  completed: number;
  failed: number;
  delayed: number;
}

/** What a service's health is made of. Every function may hang or throw: both count as "no", after a second. */
export interface HealthSource {
  /** Whether the queue role's Redis answers. */
  redisConnected(): Promise<boolean>;
  /** State and totals of the queues this service shows; undefined when they can't be read. */
  queues(): Promise<{ status: string; totals: QueueTotals } | undefined>;
  /** What must be reachable for the service to do its work (`database`, `queue`), by name. */
  checks: Readonly<Record<string, () => Promise<boolean>>>;
}

/** Whether work gets done. */
export interface LiveStatus {
  ok: boolean;
  /** What doesn't progress. */
  reason?: string;
}
