import { createRing } from '../ring.ts';

/** Something that the simulator did to a send or its receipts, so that a test can predict what must follow. */
export interface Incident {
  readonly sequence: number;
  readonly atMs: number;
  /** A fault's kind, or what became of a receipt. */
  readonly kind:
    | 'slow'
    | 'hang'
    | 'status'
    | 'gateway'
    | 'cut-before'
    | 'cut-after'
    | 'no-response'
    | 'error'
    | 'fail'
    | 'withhold-receipts'
    | 'receipt-lost'
    | 'receipt-duplicated';
  /** Whether the message was accepted all the same. */
  readonly accepted: boolean;
  readonly to: string;
  readonly messageId?: string | undefined;
  readonly attempt?: number | undefined;
  readonly wamid?: string | undefined;
  /** The status that was lost or duplicated. */
  readonly status?: string | undefined;
  /** The error code or the HTTP status answered. */
  readonly code?: number | undefined;
}

/** The last incidents, and how many there were of each kind. */
export interface IncidentLog {
  add(incident: Omit<Incident, 'sequence' | 'atMs'>): Incident;
  list(after?: number): Incident[];
  totals(): Record<string, number>;
  clear(): void;
}

/** Creates an {@link IncidentLog}. */
export function createIncidentLog(capacity: number): IncidentLog {
  const ring = createRing<Incident>(capacity);
  let totals: Record<string, number> = {};
  return {
    add(fields) {
      const incident = { sequence: ring.total + 1, atMs: Date.now(), ...fields };
      ring.push(incident);
      totals[incident.kind] = (totals[incident.kind] ?? 0) + 1;
      return incident;
    },
    list: (after = 0) => ring.values().filter(({ sequence }) => sequence > after),
    totals: () => ({ ...totals }),
    clear() {
      ring.clear();
      totals = {};
    },
  };
}
