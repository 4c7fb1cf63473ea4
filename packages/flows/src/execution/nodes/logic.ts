import { type Behaviours, NodeError, type StepContext } from '../behaviour.ts';
import { evaluateCondition } from '../evaluate-condition.ts';
import type { Value, Variables } from '../run-state.ts';
import { toValue } from '../to-value.ts';

const TURNS_MOST = 100;

/** Nodes that decide and compute. */
export const logicNodes: Behaviours<
  'branch' | 'random-split' | 'set-variable' | 'loop' | 'sub-flow' | 'end'
> = {
  branch: {
    execute(node, step) {
      const hit = node.cases.findIndex(({ when }) => evaluateCondition(when, step.scope));
      step.note(hit === -1 ? 'otherwise' : `case ${hit + 1}`);
      return { to: node.cases[hit]?.next ?? node.otherwise };
    },
  },
  'random-split': {
    execute(node, step) {
      const total = node.branches.reduce((sum, { weight }) => sum + weight, 0);
      let left = step.random() * total;
      const hit = node.branches.findIndex(({ weight }) => {
        left -= weight;
        return left < 0;
      });
      const index = hit === -1 ? node.branches.length - 1 : hit;
      step.note(`branch ${index + 1}`);
      return { to: node.branches[index]!.next };
    },
  },
  'set-variable': {
    execute(node, step) {
      step.setVariable(node.name, toValue(step.render(node.value), node.type ?? 'text'));
      return { to: node.next };
    },
  },
  loop: {
    execute(node, step) {
      const items = node.over === undefined ? undefined : listAt(node.over, step);
      const wanted = items?.length ?? node.times ?? 0;
      const turn = step.turns;
      if (turn >= Math.min(wanted, node.maxTimes ?? Math.max(TURNS_MOST, node.times ?? 0))) {
        step.turns = 0;
        step.note(`done after ${turn}`);
        return { to: node.next };
      }
      step.turns = turn + 1;
      step.note(`turn ${turn + 1}`);
      if (node.as !== undefined) step.setVariable(node.as, items?.[turn] ?? turn + 1);
      return { to: node.body };
    },
  },
  'sub-flow': {
    execute: (node, step) => ({
      enter: { flowId: node.flowId, input: (step.renderJson(node.input ?? {}) ?? {}) as Variables },
    }),
  },
  end: {
    execute: (node, step) => ({ end: (step.renderJson(node.result ?? {}) ?? {}) as Variables }),
  },
};

/** @throws NodeError for what is no list. */
function listAt(path: string, step: StepContext): readonly Value[] {
  const found = step.lookUp(path);
  if (found === undefined || found === null) return [];
  if (!Array.isArray(found)) throw new NodeError('NOT_A_LIST', `"${path}" is no list`);
  return found;
}
