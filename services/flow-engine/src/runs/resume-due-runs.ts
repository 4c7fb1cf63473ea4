import type { Database, Leases } from '@switchyard/database';
import type { Effect, RunState } from '@switchyard/flows';
import type { Outbox } from '@switchyard/outbox';
import type { Logger } from 'pino';
import { toInboxRow } from '../conversations/create-inbox.ts';
import type { TakeIn } from '../conversations/create-intake.ts';
import type { FlowTables, RunsTable } from '../database/tables.ts';
import { callJob } from './call-jobs.ts';
import { effectId } from './effect-jobs.ts';

/** Runs claimed at a time: what is under way for all of them is all that a live input can have to wait for. */
const BATCH_SIZE = 64;
/** A run that was claimed and not advanced (its process died) is claimed again after so long. */
const AGAIN_AFTER_MS = 30_000;
const LEASE_MS = 10_000;
/** What a person has said is gathered: the answer is part of the conversation, and goes before any reminder. */
const URGENT = 'gather';

/** What {@link resumeDueRuns} needs. */
export interface DueRunsParts {
  database: Database<FlowTables>;
  outbox: Outbox<FlowTables>;
  leases: Leases;
  owner: string;
  takeIn: TakeIn;
  logger: Logger;
}

type DueRun = Pick<
  RunsTable,
  'id' | 'merchantId' | 'contactId' | 'waitId' | 'waitKind' | 'dueAtMs' | 'heldInput' | 'inputs'
>;

/**
 * Resumes the runs whose time has come. Replicas share them: each claims a few at a time under a lease, and applies them in the
 * background, where live inputs go first. They never stand in a queue, so that a hundred thousand that are due at one moment hold up
 * nobody.
 *
 * Dies in between: the rest is claimed again by whoever is left. Twice is harmless: a wait ends once.
 *
 * @returns how many were resumed.
 */
export async function resumeDueRuns(parts: DueRunsParts, signal: AbortSignal): Promise<number> {
  const { takeIn, logger } = parts;
  let resumed = 0;
  while (!signal.aborted) {
    const due = await claim(parts);
    const results = await Promise.allSettled(
      due.timers.map((run) => takeIn(timerRow(run), signal, { isBackground: run.waitKind !== URGENT })),
    );
    const failed = results.filter((result) => result.status === 'rejected');
    resumed += results.length - failed.length;
    if (failed.length > 0) {
      // They are claimed again.
      logger.warn({ err: failed[0]?.reason, runs: failed.length }, 'runs that are due could not be resumed');
      break;
    }
    if (!due.isMore) break;
  }
  return resumed;
}

/** Takes the next runs that are due; nobody else does for a while. */
async function claim({ database, outbox, leases, owner }: DueRunsParts): Promise<{
  timers: DueRun[];
  isMore: boolean;
}> {
  const none = { timers: [], isMore: false };
  const lease = await leases.acquire('due-runs', { owner, ttlMs: LEASE_MS });
  if (!lease) return none;
  try {
    const now = Date.now();
    const due = await findDue(database, now);
    if (due.length === 0) return none;
    const unanswered = await findUnanswered(database, due, now);
    await outbox.transaction(async (trx, enqueue) => {
      await leases.check(trx, lease);
      await trx
        .updateTable('runs')
        .set({ dueAtMs: now + AGAIN_AFTER_MS })
        .where(
          'id',
          'in',
          due.map(({ id }) => id),
        )
        // A run that has moved on since is due at another time.
        .where('dueAtMs', '<=', now)
        .execute();
      for (const { run, effect, untilMs } of unanswered.values()) {
        enqueue(callJob(run, effectId(run.id, effect.step), effect));
        if (untilMs < now + AGAIN_AFTER_MS)
          await trx
            .updateTable('runs')
            .set({ dueAtMs: untilMs })
            .where('id', '=', run.id)
            .where('waitId', '=', run.waitId)
            .where('dueAtMs', '=', now + AGAIN_AFTER_MS)
            .execute();
      }
    });
    return {
      timers: due.filter(({ id, waitId }) => waitId !== null && !unanswered.has(id)),
      isMore: due.length === BATCH_SIZE,
    };
  } finally {
    await leases.release(lease);
  }
}

/** The runs that are due: first those whose person has just written and waits for an answer, then the others, the oldest first. */
async function findDue({ db }: Database<FlowTables>, nowMs: number): Promise<DueRun[]> {
  const due = db
    .selectFrom('runs')
    .select(['id', 'merchantId', 'contactId', 'waitId', 'waitKind', 'dueAtMs', 'heldInput', 'inputs'])
    .where('dueAtMs', '<=', nowMs)
    .orderBy('dueAtMs');
  const urgent = await due.where('waitKind', '=', URGENT).limit(BATCH_SIZE).execute();
  const left = BATCH_SIZE - urgent.length;
  if (left === 0) return urgent;
  return [...urgent, ...(await due.where('waitKind', '!=', URGENT).limit(left).execute())];
}

/** Of runs that wait for a call, those that may still get an answer: their jobs are added again, in case they were lost. */
async function findUnanswered(database: Database<FlowTables>, due: readonly DueRun[], nowMs: number) {
  const unanswered = new Map<
    string,
    { run: DueRun; effect: Extract<Effect, { kind: 'call' }>; untilMs: number }
  >();
  for (const run of due) {
    if (run.waitKind !== 'call' || run.heldInput !== null) continue;
    const row = await database.db
      .selectFrom('runs')
      .innerJoin('runJournal', 'runJournal.runId', 'runs.id')
      .select(['runs.state', 'runJournal.effects'])
      .where('runs.id', '=', run.id)
      .where('runJournal.number', '=', run.inputs)
      .executeTakeFirst();
    if (!row) continue;
    const open = openCall(row, run.waitId);
    if (open && open.untilMs > nowMs) unanswered.set(run.id, { run, ...open });
  }
  return unanswered;
}

/** The call that a run waits for. One whose row can't be read has none: it fails when it is resumed, and holds up no others here. */
function openCall({ state, effects }: { state: string; effects: string }, waitId: string | null) {
  try {
    const { wait } = JSON.parse(state) as RunState;
    const effect = (JSON.parse(effects) as Effect[]).find(
      (each) => each.kind === 'call' && each.waitId === waitId,
    );
    return effect?.kind === 'call' ? { effect, untilMs: wait?.untilMs ?? 0 } : undefined;
  } catch {
    return undefined;
  }
}

/** The wake-up as an input: one per wait, and one more for what was held meanwhile. */
function timerRow({ id, merchantId, contactId, waitId, waitKind, heldInput, dueAtMs }: DueRun) {
  const turn = heldInput === null ? {} : { turn: dueAtMs ?? 0 };
  const payload = {
    merchantId,
    runId: id,
    contactId,
    waitId: waitId ?? '',
    reason: waitKind === 'answer' ? ('timeout' as const) : ('timer' as const),
    ...turn,
  };
  return toInboxRow('timer', payload, { key: wakeKey(payload), sequence: 0, payload });
}

/** What makes a wake-up one of its kind. */
export function wakeKey({ runId, waitId, turn }: { runId: string; waitId: string; turn?: number }): string {
  return turn === undefined ? `${runId}_${waitId}` : `${runId}_${waitId}_${turn}`;
}
