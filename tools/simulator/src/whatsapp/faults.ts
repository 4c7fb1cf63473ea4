import Type, { type Static } from 'typebox';
import type { Random } from '../random.ts';

const common = {
  to: Type.Optional(
    Type.String({ minLength: 1, description: 'Only sends to this phone number or user id.' }),
  ),
  phoneNumberId: Type.Optional(Type.String({ minLength: 1, description: 'Only sends from this number.' })),
  type: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'Only messages of this type (`read`: read receipts; `media`: uploads).',
    }),
  ),
  skip: Type.Optional(
    Type.Integer({ minimum: 0, description: 'Let this many matching sends through first.' }),
  ),
  count: Type.Optional(Type.Integer({ minimum: 1, description: 'Strike this often, then never again.' })),
  rate: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'Strike this share of sends.' })),
};
const closed = { additionalProperties: false };

/** Something to go wrong. */
export const FaultInput = Type.Union([
  Type.Object({ kind: Type.Literal('slow'), delayMs: Type.Number({ minimum: 0 }), ...common }, closed),
  Type.Object({ kind: Type.Literal('hang'), ...common }, closed),
  Type.Object(
    { kind: Type.Literal('status'), status: Type.Integer({ minimum: 400, maximum: 599 }), ...common },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('gateway'),
      status: Type.Integer({ minimum: 500, maximum: 599 }),
      accepted: Type.Optional(Type.Boolean({ description: 'The message was accepted all the same.' })),
      ...common,
    },
    closed,
  ),
  Type.Object({ kind: Type.Literal('cut-before'), ...common }, closed),
  Type.Object({ kind: Type.Literal('cut-after'), ...common }, closed),
  Type.Object({ kind: Type.Literal('no-response'), ...common }, closed),
  Type.Object(
    {
      kind: Type.Literal('error'),
      code: Type.Integer({ minimum: 0 }),
      details: Type.Optional(Type.String()),
      httpStatus: Type.Optional(Type.Integer({ minimum: 400, maximum: 599 })),
      ...common,
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('fail'),
      code: Type.Optional(
        Type.Integer({ minimum: 0, description: 'What the status tells; 131026 by default.' }),
      ),
      afterSent: Type.Optional(Type.Boolean({ description: 'The message was reported as sent before.' })),
      ...common,
    },
    closed,
  ),
  Type.Object({ kind: Type.Literal('withhold-receipts'), ...common }, closed),
]);
export type FaultInput = Static<typeof FaultInput>;

/** A fault in force. */
export type Fault = FaultInput & { readonly id: number; readonly struck: number };

/** What a fault looks at. */
export interface FaultSubject {
  readonly address: string;
  readonly phoneNumberId: string;
  readonly type: string;
}

/** The faults in force. */
export interface Faults {
  readonly size: number;
  add(input: FaultInput): Fault;
  list(): Fault[];
  /** Takes back one fault, or all of them. @returns how many there were. */
  remove(id?: number): number;
  /**
   * The faults that strike this send, in the order they were added: at most one of each kind. Counts them as struck.
   */
  strike(subject: FaultSubject): FaultInput[];
}

type Rule = { input: FaultInput; id: number; seen: number; struck: number };

/** Creates {@link Faults}. Rates draw from `random`, so that a seed repeats a run. */
export function createFaults(random: Random): Faults {
  let rules: Rule[] = [];
  let lastId = 0;
  const none: FaultInput[] = [];
  const view = ({ input, id, struck }: Rule): Fault => ({ ...input, id, struck });

  function strikes(rule: Rule, { address, phoneNumberId, type }: FaultSubject): boolean {
    const { input } = rule;
    if (input.type === undefined ? type === 'read' || type === 'media' : input.type !== type) return false;
    if (input.to !== undefined && input.to !== address) return false;
    if (input.phoneNumberId !== undefined && input.phoneNumberId !== phoneNumberId) return false;
    if (input.count !== undefined && rule.struck >= input.count) return false;
    rule.seen += 1;
    if (rule.seen <= (input.skip ?? 0)) return false;
    return random.chance(input.rate ?? 1);
  }

  return {
    get size() {
      return rules.length;
    },
    add(input) {
      lastId += 1;
      const to = input.to?.replace(/^\+/, '');
      const rule = {
        input: to === undefined ? input : { ...input, to },
        id: lastId,
        seen: 0,
        struck: 0,
      };
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
      if (rules.length === 0) return none;
      const struck: FaultInput[] = [];
      for (const rule of rules) {
        if (struck.some(({ kind }) => kind === rule.input.kind) || !strikes(rule, subject)) continue;
        rule.struck += 1;
        struck.push(rule.input);
      }
      return struck;
    },
  };
}
