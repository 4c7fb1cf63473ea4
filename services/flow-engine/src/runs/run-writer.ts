import type { Advance, RunInput, RunLimits, Wait } from '@switchyard/flows';
import type { RunJournalTable, RunsTable } from '../database/tables.ts';
import { type ContactSnapshot, effectId } from './effect-jobs.ts';

/** A call that has not been answered for so long is asked for again, under its id. */
export const CALL_LOOK_MS = 30_000;

/** One input to write down. */
export interface JournalEntry {
  run: Pick<RunsTable, 'id' | 'inputs'>;
  input: RunInput;
  contact: ContactSnapshot;
  advance: Advance;
}

/** The columns that follow from a state. */
export function columnsOf({ state }: Advance, limits: Pick<RunLimits, 'maxAgeMs'>, nowMs: number) {
  const { wait, failure } = state;
  return {
    status: state.status,
    reasonCode: failure?.code ?? null,
    reason: failure?.message.slice(0, 1000) ?? null,
    state: JSON.stringify(state),
    waitId: wait?.id ?? null,
    waitKind: wait?.kind ?? null,
    dueAtMs: wait === undefined ? null : dueOf(wait, limits, state.startedAtMs ?? nowMs, nowMs),
    heldInput: null,
    updatedAtMs: nowMs,
  };
}

/**
 * When to look at a run that waits: when its time is up, else when it has become too old. A call is looked at before: its job may have
 * been lost with its Redis.
 */
function dueOf(
  { kind, untilMs }: Wait,
  { maxAgeMs }: Pick<RunLimits, 'maxAgeMs'>,
  startedAtMs: number,
  nowMs: number,
): number {
  const endMs = untilMs ?? startedAtMs + maxAgeMs + 1;
  return kind === 'call' ? Math.min(endMs, nowMs + CALL_LOOK_MS) : endMs;
}

/** An input and what it did, as a line of the run's journal. */
export function journalLine({ run, input, contact, advance }: JournalEntry): RunJournalTable {
  return {
    runId: run.id,
    number: run.inputs + 1,
    input: JSON.stringify(input),
    contact: JSON.stringify(contact),
    steps: JSON.stringify(advance.steps),
    effects: JSON.stringify(
      advance.effects.map((effect) => ({ id: effectId(run.id, effect.step), ...effect })),
    ),
    atMs: input.atMs,
  };
}
