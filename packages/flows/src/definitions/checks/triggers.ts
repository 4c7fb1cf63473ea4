import { isTimeZone, nextCronTime } from '../../execution/local-time.ts';
import { findPatternProblem } from '../../execution/match-pattern.ts';
import type { DefinitionProblem } from '../check-definition.ts';
import type { FlowDefinition, FlowTrigger } from '../definition.ts';
import { conditionProblems } from './conditions.ts';

/** Triggers that would never fire, or always. */
export function findTriggerProblems({ triggers, inputs }: FlowDefinition): DefinitionProblem[] {
  return triggers.flatMap((trigger, index) =>
    [...problemsOf(trigger), ...inputProblems(trigger, inputs)].map(([field, message]) => ({
      path: `/triggers/${index}/${field}`,
      message,
    })),
  );
}

/** Triggers that can't give what the flow needs: each run would fail at once. */
function inputProblems(
  trigger: FlowTrigger,
  inputs: FlowDefinition['inputs'] = {},
): [field: string, message: string][] {
  // The API is held to the inputs when it asks; what another flow's end gives is not known.
  if (trigger.kind === 'api' || trigger.kind === 'flow') return [];
  const given = trigger.kind === 'schedule' ? (trigger.input ?? {}) : {};
  return Object.entries(inputs)
    .filter(([name, input]) => input.required && input.default === undefined && !Object.hasOwn(given, name))
    .map(([name]) => ['kind', `gives no input "${name}", which the flow needs`]);
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
