import type { Behaviours } from '../behaviour.ts';
import { toValue } from '../to-value.ts';

/** Nodes that change what is known of the person, and who answers them. */
export const peopleNodes: Behaviours<'set-attribute' | 'tag' | 'set-consent' | 'hand-over'> = {
  'set-attribute': {
    execute(node, step) {
      const value = toValue(step.render(node.value), node.type ?? 'text') as string | number | boolean;
      step.emit({ kind: 'set-attribute', name: node.name, value });
      return { to: node.next };
    },
  },
  tag: {
    execute(node, step) {
      step.emit({ kind: 'tag', add: node.add ?? [], remove: node.remove ?? [] });
      return { to: node.next };
    },
  },
  'set-consent': {
    execute(node, step) {
      step.emit({ kind: 'consent', purpose: node.purpose, granted: node.granted });
      return { to: node.next };
    },
  },
  'hand-over': {
    execute(node, step) {
      const until =
        node.timeoutSeconds === undefined ? {} : { untilMs: step.atMs + node.timeoutSeconds * 1000 };
      const reason = node.reason === undefined ? {} : { reason: step.render(node.reason, 1024) };
      step.emit({ kind: 'handover', ...until, ...reason });
      return node.next === undefined ? { end: {} } : { wait: { kind: 'handover', ...until } };
    },
    wake(node, step, wake) {
      if (node.next === undefined) return undefined;
      if (wake.kind === 'released') {
        step.note('released');
        return { to: node.next };
      }
      return wake.kind === 'time' ? { to: node.onTimeout ?? node.next } : undefined;
    },
  },
};
