import type { Advance, RunInput } from '@switchyard/flows';
import type { RunJournalTable, RunsTable } from '../database/tables.ts';
import { type ContactSnapshot, effectId } from './effect-jobs.ts';

/** One input to write down. */
export interface JournalEntry {
  run: Pick<RunsTable, 'id' | 'inputs'>;
  input: RunInput;
  contact: ContactSnapshot;
  advance: Advance;
}

/** The columns that follow from a state. */
export function columnsOf({ state }: Advance, nowMs: number) {
  const { wait, failure } = state;
  return {
    status: state.status,
    reasonCode: failure?.code ?? null,
    reason: failure?.message.slice(0, 1000) ?? null,
    state: JSON.stringify(state),
    waitId: wait?.id ?? null,
    waitKind: wait?.kind ?? null,
    dueAtMs: wait?.untilMs ?? null,
    heldInput: null,
    exclusionGroup: null,
    updatedAtMs: nowMs,
  };
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
