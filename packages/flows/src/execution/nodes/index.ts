import type { FlowNode } from '../../definitions/definition.ts';
import type { Behaviour, Behaviours } from '../behaviour.ts';
import { callNodes } from './calls.ts';
import { logicNodes } from './logic.ts';
import { messageNodes } from './messages.ts';
import { noticeNodes } from './notices.ts';
import { peopleNodes } from './people.ts';
import { waitNodes } from './waits.ts';

const behaviours: Behaviours<FlowNode['kind']> = {
  ...messageNodes,
  ...waitNodes,
  ...logicNodes,
  ...peopleNodes,
  ...callNodes,
  ...noticeNodes,
};

/** What nodes of a kind do; undefined for a kind that there is not. */
export function behaviourOf(kind: string): Behaviour<FlowNode['kind']> | undefined {
  return Object.hasOwn(behaviours, kind)
    ? (behaviours[kind as FlowNode['kind']] as unknown as Behaviour<FlowNode['kind']>)
    : undefined;
}
