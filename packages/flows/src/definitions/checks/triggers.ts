import { isTimeZone, nextCronTime } from '../../execution/local-time.ts';
import { findPatternProblem } from '../../execution/match-pattern.ts';
import type { DefinitionProblem } from '../check-definition.ts';
import type { FlowDefinition, FlowTrigger } from '../definition.ts';
import { conditionProblems } from './conditions.ts';

/** Triggers that would never fire, or always. */
export function findTriggerProblems({ triggers }: FlowDefinition): DefinitionProblem[] {
  return triggers.flatMap((trigger, index) =>
    problemsOf(trigger).map(([field, message]) => ({ path: `/triggers/${index}/${field}`, message })),
  );
}

function problemsOf(trigger: FlowTrigger): [field: string, message: string][] {
  switch (trigger.kind) {
    case 'keyword':
      // A blank word would be found in everything.
      return trigger.words.some((word) => word.trim() === '')
        ? [['words', 'must not hold a blank word']]
        : [];
    case 'pattern': {
      const problem = findPatternProblem(trigger.pattern);
      return problem === undefined ? [] : [['pattern', problem]];
    }
    case 'schedule':
      return scheduleProblems(trigger);
    case 'shopify':
    case 'custom-event':
    case 'contact-changed':
      return trigger.where === undefined ? [] : conditionProblems(trigger.where, 'where');
    default:
      return [];
  }
}

function scheduleProblems({
  cron,
  timeZone,
}: Extract<FlowTrigger, { kind: 'schedule' }>): [field: string, message: string][] {
  if (timeZone !== undefined && !isTimeZone(timeZone))
    return [['timeZone', `is no time zone: "${timeZone}"`]];
  try {
    const next = nextCronTime(cron, timeZone ?? 'UTC', 0);
    return next === undefined ? [['cron', 'never comes']] : [];
  } catch (error) {
    return [['cron', `is no cron pattern of five fields: ${(error as Error).message}`]];
  }
}
