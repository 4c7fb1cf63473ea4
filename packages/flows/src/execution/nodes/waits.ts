import type { NodeOf, Weekday } from '../../definitions/definition.ts';
import { type Behaviours, NodeError, type StepContext } from '../behaviour.ts';
import { evaluateCondition } from '../evaluate-condition.ts';
import { localTimeOf, minutesOf, nextTimeOfDay, parseMoment } from '../local-time.ts';
import type { MessageFacts } from '../run-state.ts';

/** Longest wait for a moment that a template gives. */
const LONGEST_WAIT_MS = 365 * 24 * 3_600_000;

/** Nodes that let time pass. */
export const waitNodes: Behaviours<'wait' | 'wait-until' | 'wait-for-event' | 'business-hours'> = {
  wait: {
    execute: (node, step) => ({ wait: { kind: 'time', untilMs: step.atMs + node.seconds * 1000 } }),
    wake: (node, _step, wake) => (wake.kind === 'time' ? { to: node.next } : undefined),
  },
  'wait-until': {
    execute(node, step) {
      const untilMs = momentOf(node, step);
      if (untilMs <= step.atMs) {
        step.note('the moment is past');
        return { to: node.next };
      }
      if (untilMs - step.atMs > LONGEST_WAIT_MS)
        throw new NodeError('WAIT_TOO_LONG', 'the moment is more than a year away');
      return { wait: { kind: 'time', untilMs } };
    },
    wake: (node, _step, wake) => (wake.kind === 'time' ? { to: node.next } : undefined),
  },
  'wait-for-event': {
    execute: (node, step) => ({
      wait: { kind: 'event', untilMs: step.atMs + node.timeoutSeconds * 1000 },
    }),
    wake(node, step, wake) {
      if (wake.kind === 'time') return { to: node.onTimeout };
      if (wake.kind !== 'event') return undefined;
      const { event } = wake;
      const hit = node.events.find((awaited) => isAwaited(awaited, event, step));
      if (!hit) return undefined;
      if (node.saveAs !== undefined) step.setVariable(node.saveAs, event.body ?? event.text ?? null);
      return { to: hit.next };
    },
  },
  'business-hours': {
    execute(node, step) {
      const timeZone = step.timeZone(node.timeZone, { ofContact: false });
      if (isOpen(node, step.atMs, timeZone)) {
        step.note('open');
        return { to: node.open };
      }
      step.note('closed');
      if (node.closed !== undefined) return { to: node.closed };
      return { wait: { kind: 'time', untilMs: nextOpening(node, step.atMs, timeZone) } };
    },
    wake: (node, _step, wake) => (wake.kind === 'time' ? { to: node.open } : undefined),
  },
};

/** @throws NodeError for what is no date. */
function momentOf(node: NodeOf<'wait-until'>, step: StepContext): number {
  const timeZone = step.timeZone(node.timeZone);
  if (node.time !== undefined) return nextTimeOfDay(step.atMs, node.time, timeZone, node.weekdays);
  const text = step.render(node.at ?? '');
  const moment = parseMoment(text, timeZone);
  if (moment === undefined) throw new NodeError('DATE_INVALID', `"${text.slice(0, 64)}" is no date and time`);
  return moment;
}

function isAwaited(
  { kind, names, where }: NodeOf<'wait-for-event'>['events'][number],
  event: MessageFacts,
  step: StepContext,
): boolean {
  const isEvent = event.type === 'shopify' || event.type === 'custom' || event.type === 'contact';
  if (kind === 'message' ? isEvent : event.type !== kind) return false;
  if (names !== undefined && !names.includes(event.name ?? '')) return false;
  return where === undefined || evaluateCondition(where, { ...step.scope, event: { ...event } });
}

function isOpen({ hours, holidays }: NodeOf<'business-hours'>, atMs: number, timeZone: string): boolean {
  const { date, weekday, minutes } = localTimeOf(atMs, timeZone);
  if (holidays?.includes(date)) return false;
  return (hours[weekday] ?? []).some(({ from, to }) => minutes >= minutesOf(from) && minutes < minutesOf(to));
}

/** @throws NodeError when there is none within a year. */
function nextOpening(node: NodeOf<'business-hours'>, atMs: number, timeZone: string): number {
  const openings = Object.entries(node.hours).flatMap(([weekday, hours]) =>
    (hours ?? []).map(({ from }) => ({ weekday: weekday as Weekday, from })),
  );
  let after = atMs;
  while (after - atMs < LONGEST_WAIT_MS) {
    const next = Math.min(
      ...openings.map(({ weekday, from }) => nextTimeOfDay(after, from, timeZone, [weekday])),
    );
    if (!Number.isFinite(next)) break;
    if (isOpen(node, next, timeZone)) return next;
    after = next;
  }
  throw new NodeError('NEVER_OPEN', 'the business does not open within a year');
}
