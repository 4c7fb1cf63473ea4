import type { FaultInput } from '@switchyard/simulator';
import type { ChaosOptions } from './run-chaos.ts';

/** The provider's bad days: before and after acceptance, with and without an answer. */
export const everyFault: readonly FaultInput[] = [
  { kind: 'cut-after', rate: 0.03 },
  { kind: 'cut-before', rate: 0.02 },
  { kind: 'no-response', rate: 0.01 },
  { kind: 'hang', rate: 0.01 },
  { kind: 'gateway', status: 502, rate: 0.01 },
  { kind: 'gateway', status: 504, accepted: true, rate: 0.02 },
  { kind: 'error', code: 131016, httpStatus: 503, rate: 0.02 },
  { kind: 'slow', delayMs: 400, rate: 0.05 },
  // Told by receipt: two that ask for another try, one that ends the message.
  { kind: 'fail', code: 131016, rate: 0.02 },
  { kind: 'fail', code: 131000, afterSent: true, rate: 0.02 },
  { kind: 'fail', code: 131026, rate: 0.01 },
];

/** Receipts flow, everything else breaks. */
export const flowing = {
  faults: everyFault,
  timeoutMs: 3000,
  graceMs: 15_000,
} satisfies Partial<ChaosOptions>;

/** Answers and receipts are lost together, now and then. */
export const withheld = {
  faults: [
    { kind: 'cut-after', rate: 0.1 },
    { kind: 'gateway', status: 504, accepted: true, rate: 0.05 },
    { kind: 'withhold-receipts', rate: 0.2 },
  ],
  kills: 0,
  redisRestarts: 0,
  timeoutMs: 5000,
  graceMs: 6000,
} satisfies Partial<ChaosOptions>;

/** Unknown ends are sent again at once, and receipts take their time: what parking is for. */
export const impatient = {
  ...withheld,
  receiptsAfterMs: 1500,
  parking: 'off',
} satisfies Partial<ChaosOptions>;
