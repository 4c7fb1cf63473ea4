import Type, { type TSchema } from 'typebox';
import type { Random } from './random.ts';

/** How often a fault strikes; see {@link faultFields}. */
export interface FaultTiming {
  skip?: number | undefined;
  count?: number | undefined;
  rate?: number | undefined;
  /** Only requests that contain this text. */
  match?: string | undefined;
}

/** Schema of the fields that every fault has, beside its own. */
export const faultFields = {
  skip: Type.Optional(Type.Integer({ minimum: 0, description: 'Let this many through first.' })),
  count: Type.Optional(Type.Integer({ minimum: 1, description: 'Strike this often, then never again.' })),
  rate: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'Strike this share.' })),
  match: Type.Optional(Type.String({ minLength: 1, description: 'Only what contains this text.' })),
};

/** The schema of a fault: one of the kinds, with the fields of its own that it needs. */
export function faultSchema<const S extends Record<string, TSchema>>(kinds: readonly string[], own: S) {
  return Type.Object(
    { kind: Type.Union(kinds.map((kind) => Type.Literal(kind))), ...own, ...faultFields },
    { additionalProperties: false },
  );
}

/** Faults of one simulated provider. */
export interface FaultList<F extends FaultTiming & { kind: string }> {
  add(fault: F): F & { id: number; struck: number };
  list(): (F & { id: number; struck: number })[];
  /** Takes back one, or all. @returns how many there were. */
  remove(id?: number): number;
  /** The first fault that strikes a request with this text; it is counted. */
  strike(subject: string): F | undefined;
}

/** Makes a {@link FaultList}. */
export function createFaultList<F extends FaultTiming & { kind: string }>(random: Random): FaultList<F> {
  let rules: { fault: F; id: number; seen: number; struck: number }[] = [];
  let lastId = 0;
  const view = ({ fault, id, struck }: (typeof rules)[number]) => ({ ...fault, id, struck });
  return {
    add(fault) {
      lastId += 1;
      const rule = { fault, id: lastId, seen: 0, struck: 0 };
      rules.push(rule);
      return view(rule);
    },
    list: () => rules.map(view),
    remove(id) {
      const before = rules.length;
      rules = id === undefined ? [] : rules.filter((rule) => rule.id !== id);
      return before - rules.length;
    },
    strike(subject) {
      for (const rule of rules) {
        const { match, count, skip = 0, rate = 1 } = rule.fault;
        if (match !== undefined && !subject.includes(match)) continue;
        if (count !== undefined && rule.struck >= count) continue;
        rule.seen += 1;
        if (rule.seen <= skip || !random.chance(rate)) continue;
        rule.struck += 1;
        return rule.fault;
      }
      return undefined;
    },
  };
}
