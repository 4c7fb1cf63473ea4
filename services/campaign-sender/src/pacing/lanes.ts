import type { Pace } from './pace.ts';

/** Who goes first: what a person waits for, then flows, then campaigns. */
export const lanes = ['transactional', 'flow', 'campaign'] as const;
export type Lane = (typeof lanes)[number];

interface LaneRule {
  /** How far ahead a slot may be reserved, in slots of the number. Who may reach further is always there first. */
  readonly slots: number;
  /** … and in ms, so that a fast number's process may be busy for a moment without losing slots. */
  readonly leastMs: number;
  /** Share of the number's rate that this lane has whatever the more urgent ones do. */
  readonly share: number;
}

/**
 * A campaign holds no more than the next slot, so a transactional message never waits for more than a few; but a lane whose share is
 * due reaches as far as the most urgent one, so nobody starves.
 */
export const laneRules: Readonly<Record<Lane, LaneRule>> = {
  transactional: { slots: 6, leastMs: 60, share: 1 },
  flow: { slots: 2, leastMs: 25, share: 0.2 },
  campaign: { slots: 1.2, leastMs: 15, share: 0.1 },
};

/** No slot is reserved further ahead than this: a longer wait is spent elsewhere. */
export const LONGEST_WAIT_MS = 2000;

/** Numbers of more than 250 messages a second hold slots for as long as writing their intents takes, in any lane. */
export const FAST_MICROS = 4000;
const FAST_LEAST_MS = 50;

/** How far ahead a message may reserve its slot, in microseconds. */
export function lookaheadMicros(lane: Lane, { intervalMicros }: Pace): number {
  const { slots } = laneRules[lane];
  const leastMs = Math.max(laneRules[lane].leastMs, intervalMicros <= FAST_MICROS ? FAST_LEAST_MS : 0);
  return Math.ceil(Math.min(LONGEST_WAIT_MS * 1000, Math.max(leastMs * 1000, slots * intervalMicros)));
}
