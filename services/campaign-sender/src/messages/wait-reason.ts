import type { Obstacle } from '../pacing/create-admission.ts';

/** Why a queued message waits, by code, and what that means. The API shows it; nothing is decided by it. */
export const waitReasons = {
  NUMBER_PAUSED: 'its number is paused, or has no token',
  TEMPLATE_HELD: 'its template is paused or not approved',
  FILE_NOT_READY: 'its file is not at the provider yet',
  PAIR_LIMIT: 'this person is written to faster than the provider allows',
  NUMBER_RATE: 'its number has more to send than its rate allows',
  NUMBER_HELD: 'the provider said that its number sends too fast',
  CIRCUIT_OPEN: 'the provider fails to answer calls of its number',
  PORTFOLIO_LIMIT: 'the portfolio has written to as many people as its tier allows in 24 hours',
  APP_CALLS: 'the app makes as many calls as it may',
} as const;
export type WaitReason = keyof typeof waitReasons;

/** What a message waits for that the gate has refused. */
export const waitReasonOf: Readonly<Record<Obstacle, WaitReason>> = {
  rate: 'NUMBER_RATE',
  pause: 'NUMBER_HELD',
  circuit: 'CIRCUIT_OPEN',
  recipient: 'PAIR_LIMIT',
  portfolio: 'PORTFOLIO_LIMIT',
  app: 'APP_CALLS',
};
