import type { RepeatTotals } from './accepted-log.ts';
import type { WebhookFigures } from './webhook-sender.ts';

/** Figures since start or reset. */
export interface Statistics {
  readonly uptimeMs: number;
  readonly accepted: number;
  readonly rejected: number;
  /** Rejections by error code. */
  readonly rejectedByCode: Readonly<Record<string, number>>;
  readonly inbound: number;
  /** Read receipts and typing indicators from the business. */
  readonly businessReads: number;
  /** Files that the business uploaded. */
  readonly mediaUploads: number;
  /** Statuses that happened, whether or not their webhook was lost. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly plannedStatuses: number;
  readonly repeats: RepeatTotals;
  /** Faults and lost receipts by kind. */
  readonly incidents: Readonly<Record<string, number>>;
  readonly webhooks: WebhookFigures;
  readonly numbers: readonly {
    readonly phoneNumberId: string;
    readonly perSecondLimit: number;
    /** Messages of the last second, both ways. */
    readonly lastSecond: number;
    /** The most that one second held. */
    readonly peakSecond: number;
  }[];
}

/** Counters that only go up. */
export interface Counters {
  rejected: number;
  rejectedByCode: Record<string, number>;
  inbound: number;
  businessReads: number;
  statuses: Record<string, number>;
  startedAtMs: number;
}

/** Counters at zero. */
export function createCounters(): Counters {
  return {
    rejected: 0,
    rejectedByCode: {},
    inbound: 0,
    businessReads: 0,
    statuses: {},
    startedAtMs: Date.now(),
  };
}
